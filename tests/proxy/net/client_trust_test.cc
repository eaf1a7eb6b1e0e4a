// What is remembered of clients with certificates, and when it must not count: real handshakes with openssl s_client.

#include "proxy/base/metrics.h"
#include "tests/proxy/net/tls_wire.h"

namespace verge::net {
namespace {

using testing::HasSubstr;
using testing::Not;

using Words = std::vector<std::string>;
using std::chrono::days;

Words operator+(Words a, const Words& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// How often a client's chain was found good, and by what: "memory" or "chain".
uint64_t verified(const std::string& from) {
  const std::string text = metrics::render();
  const std::string series = "verge_tls_client_verified_total{from=\"" + from + "\"} ";
  const size_t at = text.find("\n" + series);
  EXPECT_NE(at, std::string::npos);
  return std::stoull(text.substr(at + 1 + series.size()));
}

struct ClientTrust : TlsTest, testing::WithParamInterface<const char*> {
  // Ahead, so that certificates made by a test are within their time.
  ManualClock time{std::chrono::time_point_cast<Millis>(std::chrono::system_clock::now()) + std::chrono::hours(1)};
  std::string session = certs.path("trust-session");
  ServerTlsOptions options = asking();

  ServerTlsOptions asking() {
    ServerTlsOptions made = serving({"a", "b"});
    made.client_auth = ClientAuth::required;
    made.client_ca = certs.pem("ca");
    made.clock = &time;
    return made;
  }

  // How many signatures of chains were checked, and how many chains were known, while `work` ran.
  struct Seen {
    uint64_t chain, memory;
    bool operator==(const Seen&) const = default;
  };
  template <class Work>
  Seen seen(Work work) {
    const Seen before{verified("chain"), verified("memory")};
    work();
    return {verified("chain") - before.chain, verified("memory") - before.memory};
  }

  std::string visit(const std::string& who, const Words& more = {}) {
    return s_client(Words{GetParam(), "-servername", "a.test"} + identity(who) + more);
  }
  bool served(const std::string& said) const { return said.find("\nok\n") != std::string::npos; }
};
INSTANTIATE_TEST_SUITE_P(Versions, ClientTrust, testing::Values("-tls1_2", "-tls1_3"));

TEST_P(ClientTrust, ChecksAChainOnceAndKnowsItAfterwards) {
  serve(options);
  EXPECT_EQ(seen([&] { EXPECT_TRUE(served(visit("client"))); }), (Seen{1, 0}));
  EXPECT_EQ(seen([&] {
              EXPECT_TRUE(served(visit("client")));
              EXPECT_TRUE(served(visit("client")));
            }),
            (Seen{0, 2}));
  EXPECT_EQ(last().info.client_subject, "CN=Client One,O=Shop");
}

TEST_P(ClientTrust, ChecksEveryTimeWhereNothingIsToBeRemembered) {
  options.verified_chains = 0;
  serve(options);
  EXPECT_EQ(seen([&] {
              EXPECT_TRUE(served(visit("client")));
              EXPECT_TRUE(served(visit("client")));
            }),
            (Seen{2, 0}));
}

TEST_P(ClientTrust, RemembersNoMoreChainsThanAllowed) {
  certs.make("second", "ca", "/CN=Second", "");
  options.verified_chains = 1;
  serve(options);
  EXPECT_EQ(seen([&] {
              visit("client");
              visit("second");
              visit("client");
            }),
            (Seen{3, 0}));
}

TEST_P(ClientTrust, RefusesACertificateThatRanOutThoughItWasGoodBefore) {
  serve(options);
  EXPECT_TRUE(served(visit("client")));
  EXPECT_TRUE(served(visit("client")));
  time.advance(days(31));
  EXPECT_EQ(seen([&] {
              for (int i = 0; i < 2; ++i) {
                EXPECT_THAT(visit("client"), Not(HasSubstr("\nok\n")));
                EXPECT_EQ(last().opened, 0);
                EXPECT_THAT(last().closed->what, HasSubstr("certificate has expired"));
              }
            }),
            (Seen{0, 0}));
}

TEST_P(ClientTrust, RefusesACertificateBeforeItsTimeThoughItWasGoodOnce) {
  serve(options);
  EXPECT_TRUE(served(visit("client")));
  time.advance(-days(1)); // the clock was set back
  EXPECT_THAT(visit("client"), Not(HasSubstr("\nok\n")));
  EXPECT_THAT(last().closed->what, HasSubstr("certificate is not yet valid"));
}

TEST_P(ClientTrust, RefusesAGoodCertificateWhoseCaRanOut) {
  certs.make("short-ca", "", "/CN=Short CA", "", 2);
  certs.make("long", "short-ca", "/CN=Long", "", 30);
  options.client_ca = certs.pem("short-ca");
  serve(options);
  EXPECT_TRUE(served(visit("long", {"-sess_out", session})));
  time.advance(days(3));
  EXPECT_THAT(visit("long"), Not(HasSubstr("\nok\n")));
  EXPECT_THAT(last().closed->what, HasSubstr("certificate has expired"));
  EXPECT_THAT(visit("long", {"-sess_in", session}), Not(HasSubstr("\nok\n"))) << "nor by its session";
  EXPECT_EQ(last().opened, 0);
}

TEST_P(ClientTrust, ForgetsWhatAnotherCaSignedWhenTheCaChanges) {
  serve(options);
  EXPECT_TRUE(served(visit("client", {"-sess_out", session})));
  EXPECT_TRUE(served(visit("client")));
  options.client_ca = certs.pem("other-ca");
  serve(options);
  EXPECT_EQ(seen([&] {
              EXPECT_THAT(visit("client"), HasSubstr("alert unknown ca"));
              EXPECT_EQ(last().opened, 0);
              EXPECT_THAT(visit("client", {"-sess_in", session}), HasSubstr("alert unknown ca"));
              EXPECT_EQ(last().opened, 0);
            }),
            (Seen{0, 0}));
  EXPECT_TRUE(served(visit("stranger"))) << "whom the new CA signed";
}

TEST_P(ClientTrust, RemembersNoRefusal) {
  serve(options);
  EXPECT_EQ(seen([&] {
              for (int i = 0; i < 3; ++i) {
                EXPECT_THAT(visit("stranger"), HasSubstr("alert unknown ca"));
                EXPECT_EQ(last().opened, 0);
              }
            }),
            (Seen{0, 0}));
}

TEST_P(ClientTrust, TakesNoKeyButTheCertificatesForAChainItKnows) {
  certs.make("self", "", "/O=Shop/CN=Client One", "");
  serve(options);
  EXPECT_TRUE(served(visit("client")));
  EXPECT_THAT(visit("self"), Not(HasSubstr("\nok\n"))) << "the same name, signed by itself";
  EXPECT_EQ(last().opened, 0);
  // The known certificate with a key of one's own: openssl refuses to send it, so nothing may be served either.
  EXPECT_THAT(s_client({GetParam(), "-servername", "a.test", "-cert", certs.pem("client"), "-key", certs.key("self")}),
              Not(HasSubstr("\nok\n")));
}

TEST_P(ClientTrust, CountsAChainWithAnotherIntermediateAsAnotherChain) {
  certs.make("middle", "ca", "/CN=Middle", "", 30, "ec", "critical,CA:TRUE");
  certs.make("under", "middle", "/CN=Under", "");
  serve(options);
  const Words with_middle{"-cert_chain", certs.pem("middle")};
  EXPECT_EQ(seen([&] { EXPECT_TRUE(served(visit("under", with_middle))); }), (Seen{1, 0}));
  EXPECT_EQ(seen([&] { EXPECT_TRUE(served(visit("under", with_middle))); }), (Seen{0, 1}));
  EXPECT_EQ(seen([&] { EXPECT_THAT(visit("under"), Not(HasSubstr("\nok\n"))); }), (Seen{0, 0}))
      << "without the intermediate nothing leads to the CA";
}

TEST_P(ClientTrust, ResumesWithoutTouchingTheCertificateAndEndsWithIt) {
  serve(options);
  visit("client", {"-sess_out", session});
  EXPECT_EQ(
      seen([&] {
        EXPECT_TRUE(served(s_client({GetParam(), "-servername", "a.test", "-sess_in", session, "-sess_out", session})));
        EXPECT_TRUE(last().info.resumed);
        EXPECT_EQ(last().info.client_subject, "CN=Client One,O=Shop");
      }),
      (Seen{0, 0}));
  time.advance(days(31));
  EXPECT_THAT(s_client({GetParam(), "-servername", "a.test", "-sess_in", session}), Not(HasSubstr("\nok\n")));
  EXPECT_EQ(last().opened, 0) << "the session made by resuming ends with the certificate too";
}

TEST_P(ClientTrust, KeepsNoMoreSessionsThanAllowed) {
  options.sessions = 1;
  serve(options);
  visit("client", {"-sess_out", session});
  visit("client", {"-sess_out", session + "-2"});
  s_client(Words{GetParam(), "-servername", "a.test", "-sess_in", session} + identity("client"));
  EXPECT_FALSE(last().info.resumed);
  options.sessions = 0;
  serve(options);
  visit("client", {"-sess_out", session});
  visit("client", {"-sess_in", session});
  EXPECT_FALSE(last().info.resumed);
}

} // namespace
} // namespace verge::net
