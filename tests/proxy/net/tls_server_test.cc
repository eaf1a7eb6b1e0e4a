#include "proxy/net/tls_server.h"

#include "tests/proxy/net/tls_wire.h"

namespace verge::net {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

using Words = std::vector<std::string>;

Words operator+(Words a, const Words& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

struct TlsServerTest : TlsTest {
  ServerTlsOptions asking(ClientAuth auth) const {
    ServerTlsOptions options = serving({"a", "b"});
    options.client_auth = auth;
    options.client_ca = certs.pem("ca");
    return options;
  }
};

TEST_F(TlsServerTest, SpeaksTls13WithAnOrdinaryClient) {
  serve(serving({"a"}));
  const std::string said =
      s_client({"-servername", "A.test", "-CAfile", certs.pem("ca"), "-verify_hostname", "a.test"});
  EXPECT_THAT(said, HasSubstr("\nok\n"));
  EXPECT_THAT(said, HasSubstr("Verify return code: 0 (ok)"));
  EXPECT_EQ(last().received, "hello\n");
  EXPECT_EQ(last().info.version, "TLSv1.3");
  EXPECT_EQ(last().info.cipher, "TLS_AES_128_GCM_SHA256");
  EXPECT_EQ(last().info.sni, "a.test");
  EXPECT_EQ(last().info.alpn, "");
  EXPECT_FALSE(last().info.resumed);
  EXPECT_EQ(last().info.client_subject, "");
}

TEST_F(TlsServerTest, SpeaksTls12WithForwardSecrecyAndAeadOnly) {
  serve(serving({"a"}));
  EXPECT_THAT(s_client({"-tls1_2"}), HasSubstr("\nok\n"));
  EXPECT_EQ(last().info.version, "TLSv1.2");
  EXPECT_THAT(last().info.cipher, StartsWith("ECDHE-ECDSA-AES"));
  EXPECT_THAT(s_client({"-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA:AES128-GCM-SHA256"}), HasSubstr("alert"));
  EXPECT_EQ(last().closed->code, Errc::tls);
  EXPECT_EQ(last().closed->side, Side::client);
  EXPECT_THAT(last().closed->what, HasSubstr("no shared cipher"));
}

TEST_F(TlsServerTest, RefusesTls11) {
  serve(serving({"a"}));
  EXPECT_THAT(s_client({"-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"}), HasSubstr("alert protocol version"));
  EXPECT_EQ(last().closed->code, Errc::tls);
  EXPECT_EQ(last().opened, 0);
}

TEST_F(TlsServerTest, RefusesTls12WhereOnly13IsAllowed) {
  ServerTlsOptions options = serving({"a"});
  options.min_version = "1.3";
  serve(options);
  EXPECT_THAT(s_client({"-tls1_2"}), HasSubstr("alert protocol version"));
  EXPECT_THAT(s_client({}), HasSubstr("\nok\n"));
}

TEST_F(TlsServerTest, PrefersHttp2ByAlpnUnlessSwitchedOff) {
  serve(serving({"a"}));
  EXPECT_THAT(s_client({"-alpn", "http/1.1,h2"}), HasSubstr("ALPN protocol: h2"));
  EXPECT_EQ(last().info.alpn, "h2");
  EXPECT_THAT(s_client({"-alpn", "http/1.1"}), HasSubstr("ALPN protocol: http/1.1"));
  ServerTlsOptions options = serving({"a"});
  options.http2 = false;
  serve(options);
  EXPECT_THAT(s_client({"-alpn", "h2,http/1.1"}), HasSubstr("ALPN protocol: http/1.1"));
}

TEST_F(TlsServerTest, GoesOnWithoutAlpnWhenNoProtocolIsCommon) {
  serve(serving({"a"}));
  const std::string said = s_client({"-alpn", "gopher"});
  EXPECT_THAT(said, HasSubstr("No ALPN negotiated"));
  EXPECT_THAT(said, HasSubstr("\nok\n"));
}

TEST_F(TlsServerTest, ChoosesTheCertificateByNameExactlyThenByWildcardThenTheFirst) {
  serve(serving({"a", "b"}));
  const auto subject = [&](const std::string& name) {
    const std::string said = name.empty() ? s_client({"-noservername"}) : s_client({"-servername", name});
    return said.find("subject=CN = a.test") != std::string::npos   ? "a"
           : said.find("subject=CN = b.test") != std::string::npos ? "b"
                                                                   : said;
  };
  EXPECT_EQ(subject("a.test"), "a");
  EXPECT_EQ(subject("b.test"), "b");
  EXPECT_EQ(subject("any.wild.test"), "a");
  EXPECT_EQ(subject("deep.wild.test"), "b");
  EXPECT_EQ(subject("two.any.wild.test"), "a");
  EXPECT_EQ(subject("unknown.test"), "a");
  EXPECT_EQ(subject(""), "a");
}

TEST_F(TlsServerTest, ServesTwoKindsOfKeysForTheSameNames) {
  serve(serving({"a", "b", "b-rsa"}));
  EXPECT_THAT(s_client({"-servername", "b.test", "-sigalgs", "ecdsa_secp256r1_sha256"}),
              HasSubstr("Peer signature type: ECDSA"));
  EXPECT_THAT(s_client({"-servername", "b.test", "-sigalgs", "rsa_pss_rsae_sha256"}),
              HasSubstr("Peer signature type: RSA-PSS"));
}

TEST_F(TlsServerTest, KnowsWhichHostsItsCertificatesCover) {
  serve(serving({"a", "b"}));
  EXPECT_TRUE(server_tls->covers("a.test"));
  EXPECT_TRUE(server_tls->covers("b.test"));
  EXPECT_TRUE(server_tls->covers("B.Test."));
  EXPECT_TRUE(server_tls->covers("x.wild.test"));
  EXPECT_TRUE(server_tls->covers("127.0.0.1"));
  EXPECT_FALSE(server_tls->covers("wild.test"));
  EXPECT_FALSE(server_tls->covers("x.y.wild.test"));
  EXPECT_FALSE(server_tls->covers(".wild.test"));
  EXPECT_FALSE(server_tls->covers("c.test"));
  EXPECT_FALSE(server_tls->covers(""));
}

// ---- client certificates

TEST_F(TlsServerTest, TellsWhoTheClientIsWhenItShowsACertificate) {
  serve(asking(ClientAuth::optional));
  const std::string said = s_client(identity("client"));
  EXPECT_THAT(said, HasSubstr("\nok\n"));
  EXPECT_THAT(said, HasSubstr("CN = Test CA")) << "the names of the CAs asked for";
  const TlsInfo& info = last().info;
  EXPECT_EQ(info.client_subject, "CN=Client One,O=Shop");
  EXPECT_EQ(info.client_issuer, "CN=Test CA");
  EXPECT_EQ(info.client_fingerprint.size(), 64U);
  EXPECT_EQ(info.client_cert_pem, contents(certs.pem("client")));
  EXPECT_THAT(info.client_not_before, testing::EndsWith(" GMT"));
  EXPECT_THAT(info.client_not_after, testing::EndsWith(" GMT"));
  const std::string serial = run_program({"openssl", "x509", "-in", certs.pem("client"), "-noout", "-serial"});
  EXPECT_EQ("serial=" + info.client_serial + "\n", serial);
}

TEST_F(TlsServerTest, OptionalTakesAClientWithoutCertificateButNotAStranger) {
  serve(asking(ClientAuth::optional));
  EXPECT_THAT(s_client({}), HasSubstr("\nok\n"));
  EXPECT_EQ(last().info.client_subject, "");
  for (const char* version : {"-tls1_2", "-tls1_3"}) {
    EXPECT_THAT(s_client(identity("stranger") + Words{version}), HasSubstr("alert unknown ca"));
    EXPECT_EQ(last().opened, 0);
    EXPECT_THAT(last().closed->what, HasSubstr("certificate verify failed: unable to get local issuer"));
  }
}

TEST_F(TlsServerTest, RequiredTakesOnlyClientsOfItsCa) {
  serve(asking(ClientAuth::required));
  for (const char* version : {"-tls1_2", "-tls1_3"}) {
    EXPECT_THAT(s_client(identity("client") + Words{version}), HasSubstr("\nok\n"));
    EXPECT_THAT(s_client({version}), Not(HasSubstr("\nok\n")));
    EXPECT_EQ(last().opened, 0);
    EXPECT_EQ(last().closed->code, Errc::tls);
    EXPECT_THAT(last().closed->what, HasSubstr("peer did not return a certificate"));
    EXPECT_THAT(s_client(identity("stranger") + Words{version}), HasSubstr("alert unknown ca"));
    EXPECT_EQ(last().opened, 0);
  }
}

TEST_F(TlsServerTest, OffAsksForNoCertificate) {
  serve(serving({"a"}));
  EXPECT_THAT(s_client(identity("client")), HasSubstr("No client certificate CA names sent"));
  EXPECT_EQ(last().info.client_subject, "");
}

// ---- resumption

// By version, and by how many sessions are kept: none means tickets.
struct Resumption : TlsServerTest, testing::WithParamInterface<std::tuple<const char*, size_t>> {
  std::string session = certs.path("session");
  const char* version() const { return std::get<0>(GetParam()); }
  Words first(const std::string& name) const { return {version(), "-servername", name, "-sess_out", session}; }
  Words again(const std::string& name) const { return {version(), "-servername", name, "-sess_in", session}; }
  ServerTlsOptions resumable(const Words& names) const {
    ServerTlsOptions options = serving(names);
    options.sessions = std::get<1>(GetParam());
    return options;
  }
};
INSTANTIATE_TEST_SUITE_P(Versions, Resumption,
                         testing::Combine(testing::Values("-tls1_2", "-tls1_3"), testing::Values(10'000U, 0U)));

TEST_P(Resumption, WorksUnderTheSameNameAgainAndAgain) {
  serve(resumable({"a", "b"}));
  s_client(first("b.test"));
  EXPECT_FALSE(last().info.resumed);
  s_client(again("b.test") + Words{"-sess_out", session});
  EXPECT_TRUE(last().info.resumed);
  EXPECT_EQ(last().info.sni, "b.test");
  s_client(again("b.test"));
  EXPECT_TRUE(last().info.resumed);
}

TEST_P(Resumption, KeepsTheClientsIdentity) {
  serve(asking(ClientAuth::required));
  s_client(first("a.test") + identity("client"));
  EXPECT_THAT(s_client(again("a.test")), HasSubstr("\nok\n"));
  EXPECT_TRUE(last().info.resumed);
  EXPECT_EQ(last().info.client_subject, "CN=Client One,O=Shop");
}

TEST_P(Resumption, UnderAnotherNameIsAFullHandshake) {
  serve(resumable({"a", "b"}));
  s_client(first("a.test"));
  EXPECT_THAT(s_client(again("b.test")), HasSubstr("\nok\n"));
  EXPECT_FALSE(last().info.resumed);
}

TEST_P(Resumption, UnderAnotherNameDoesNotSkipTheClientCertificate) {
  serve(asking(ClientAuth::required));
  s_client(first("a.test") + identity("client"));
  EXPECT_THAT(s_client(again("b.test")), Not(HasSubstr("\nok\n")));
  EXPECT_EQ(last().opened, 0);
  EXPECT_THAT(last().closed->what, HasSubstr("peer did not return a certificate"));
}

// ---- faults of the config

struct TlsConfigFault : TlsServerTest {
  std::string fault(const ServerTlsOptions& options) {
    const auto made = ServerTls::create(options);
    if (made) return "none";
    EXPECT_EQ(made.error().code, Errc::config);
    return made.error().what;
  }
};

TEST_F(TlsConfigFault, NamesAFileThatIsMissing) {
  ServerTlsOptions options;
  options.certificates.push_back({"/nowhere/a.pem", certs.key("a")});
  EXPECT_EQ(fault(options), "certificate /nowhere/a.pem: No such file or directory");
  options.certificates[0] = {certs.pem("a"), "/nowhere/a.key"};
  EXPECT_EQ(fault(options), "key /nowhere/a.key: No such file or directory");
}

TEST_F(TlsConfigFault, NamesAKeyOfAnotherCertificate) {
  ServerTlsOptions options;
  options.certificates.push_back({certs.pem("a"), certs.key("b")});
  EXPECT_EQ(fault(options), "key " + certs.key("b") + " does not belong to certificate " + certs.pem("a"));
  options.certificates[0] = {certs.pem("a"), certs.key("b-rsa")};
  EXPECT_EQ(fault(options), "key " + certs.key("b-rsa") + " does not belong to certificate " + certs.pem("a"));
}

TEST_F(TlsConfigFault, NamesAFileThatHoldsSomethingElse) {
  ServerTlsOptions options;
  options.certificates.push_back({certs.key("a"), certs.key("a")});
  EXPECT_THAT(fault(options), StartsWith("certificate " + certs.key("a") + ": no PEM certificate"));
  options.certificates[0] = {certs.pem("a"), certs.pem("a")};
  EXPECT_THAT(fault(options), StartsWith("key " + certs.pem("a") + ": no usable PEM key"));
}

TEST_F(TlsConfigFault, WantsAClientCaWhereClientCertificatesAreAsked) {
  ServerTlsOptions options = serving({"a"});
  options.client_auth = ClientAuth::required;
  EXPECT_THAT(fault(options), HasSubstr("no client CA is set"));
  options.client_ca = "/nowhere/ca.pem";
  EXPECT_EQ(fault(options), "client CA /nowhere/ca.pem: No such file or directory");
  options.client_ca = certs.key("ca");
  EXPECT_THAT(fault(options), HasSubstr("no PEM certificate"));
}

TEST_F(TlsConfigFault, WantsACertificateAndAKnownVersion) {
  EXPECT_EQ(fault({}), "TLS needs a certificate");
  ServerTlsOptions options = serving({"a"});
  options.min_version = "1.1";
  EXPECT_THAT(fault(options), HasSubstr("must be \"1.2\" or \"1.3\""));
}

} // namespace
} // namespace verge::net
