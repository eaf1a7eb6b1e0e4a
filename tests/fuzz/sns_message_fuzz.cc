// The body of a post to the SNS path may be anything, and nobody has proved yet who sent it. What is accepted must have
// each member that the checks after it rely on; a certificate, a URL and a purge may be anything too.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "proxy/control/events/sns_message.h"
#include "proxy/control/events/sns_signature.h"
#include "proxy/control/events/sns_topic.h"
#include "proxy/control/sns_events.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace verge::control;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto check = [](bool good) {
    if (!good) std::abort();
  };
  if (const auto m = parse_sns_message(text)) {
    check(!m->message_id.empty() && m->message_id.size() <= 128);
    check(m->type == SnsType::notification || !m->subject);
    check(string_to_sign(*m).ends_with("\nType\n" + m->type_text + "\n"));
    (void)parse_timestamp(m->timestamp);
    if (const auto topic = parse_topic_arn(m->topic_arn)) {
      check(!signing_certificate_names(*topic).empty());
      if (const auto path = signing_certificate_path(m->signing_cert_url, *topic, "")) {
        check(m->signing_cert_url == "https://" + sns_host(*topic) + *path);
      }
    }
    (void)interpret_notification(m->message, "");
  } else {
    check(!m.error().what.empty());
  }
  if (const auto meant = interpret_notification(text, "site/")) check(meant->command || !meant->reason.empty());
  (void)SigningCertificate::parse(text, {"sns.amazonaws.com"});
  return 0;
}
