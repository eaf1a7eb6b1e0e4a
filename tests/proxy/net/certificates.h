// Certificates for the tests, made once per program by the openssl command.
#pragma once

#include <string>

#include "tests/proxy/net/child.h"

namespace verge::net {

class Certificates {
 public:
  static const Certificates& get() {
    static const Certificates it;
    return it;
  }
  std::string path(const std::string& file) const { return dir_ / file; }
  std::string pem(const std::string& name) const { return path(name + ".pem"); }
  std::string key(const std::string& name) const { return path(name + ".key"); }
  // "NAME.pem" and "NAME.key", issued by `ca` (empty: by itself).
  void make(const std::string& name, const std::string& ca, const std::string& subject, const std::string& names,
            int days = 30, const std::string& kind = "ec", const std::string& constraints = "critical,CA:FALSE") const {
    std::vector<std::string> words = {"openssl", "req",     "-x509",   "-nodes",  "-days", std::to_string(days),
                                      "-out",    pem(name), "-keyout", key(name), "-subj", subject};
    if (kind == "ec") {
      words.insert(words.end(), {"-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"});
    } else {
      words.insert(words.end(), {"-newkey", "rsa:2048"});
    }
    if (!ca.empty()) {
      words.insert(words.end(), {"-CA", pem(ca), "-CAkey", key(ca), "-addext", "basicConstraints=" + constraints});
    }
    if (!names.empty()) words.insert(words.end(), {"-addext", "subjectAltName=" + names});
    const std::string said = run_program(words);
    EXPECT_TRUE(std::filesystem::exists(pem(name))) << said;
  }

 private:
  Certificates() {
    make("ca", "", "/CN=Test CA", "");
    make("other-ca", "", "/CN=Other CA", "");
    make("a", "ca", "/CN=a.test", "DNS:a.test,DNS:*.wild.test,IP:127.0.0.1");
    make("b", "ca", "/CN=b.test", "DNS:B.test,DNS:deep.wild.test");
    make("b-rsa", "ca", "/CN=b.test", "DNS:B.test,DNS:deep.wild.test", 30, "rsa");
    make("client", "ca", "/O=Shop/CN=Client One", "");
    make("stranger", "other-ca", "/CN=Stranger", "");
  }
  TempDir dir_;
};

} // namespace verge::net
