// SnsPublisher: signed calls of Publish to one topic, tried again while there is time. Control loop only.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>

#include "config/config.h"
#include "origin/aws/request_signer.h"
#include "origin/pool/http_client.h"
#include "proxy/control/events/small_call.h"

namespace verge::control {

class SnsPublisher {
 public:
  // The context outlives the publisher. Error config: no credentials, no such endpoint, the CA can't be read.
  static Result<std::unique_ptr<SnsPublisher>> create(const config::Fleet& options,
                                                      const origin::OriginContext& context);
  ~SnsPublisher();

  // `done` gets the MessageId, from the loop, never inside this call, unless the publisher is destroyed before. Errors
  // say what SNS said or that it could not be reached within fleet.publish_timeout; the message may have gone out
  // nevertheless.
  using Done = std::move_only_function<void(Result<std::string>)>;
  void publish(std::string_view message, Done done);

  const std::string& topic() const noexcept { return topic_; }

 private:
  struct Job;
  using Slot = std::list<std::unique_ptr<Job>>::iterator;
  SnsPublisher(const config::Fleet& options, const origin::OriginContext& context, origin::HttpEndpoint endpoint,
               std::shared_ptr<net::ClientTls> tls, std::unique_ptr<origin::aws::RequestSigner> signer);
  void attempt(Slot job);
  void answered(Slot job, Result<SmallCall::Answer> answer);
  void end(Slot job, Result<std::string> result);

  net::EventLoop& loop_;
  const std::string topic_;
  const Millis limit_;
  std::string path_;
  std::unique_ptr<origin::aws::RequestSigner> signer_;
  origin::HttpClient client_;
  std::list<std::unique_ptr<Job>> jobs_; // under way
};

} // namespace verge::control
