"""The certificates of a run: one of the servers, an authority for clients, and a client."""

import os
import subprocess


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def make(directory):
    """Returns (certificate, key) of servers, the authority of clients, (certificate, key) of a client. ECDSA P-256."""
    def at(name):
        return os.path.join(directory, name)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *key, "-keyout", at("key.pem"), "-out", at("cert.pem"), "-days", "2",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
    openssl("req", "-x509", *key, "-keyout", at("ca-key.pem"), "-out", at("client-ca.pem"), "-days", "2",
            "-subj", "/CN=clients", "-addext", "basicConstraints=critical,CA:TRUE")
    openssl("req", *key, "-keyout", at("client-key.pem"), "-out", at("client.csr"), "-subj", "/CN=client-1")
    with open(at("client.ext"), "w") as file:
        file.write("basicConstraints=CA:FALSE\nextendedKeyUsage=clientAuth\n")
    openssl("x509", "-req", "-in", at("client.csr"), "-CA", at("client-ca.pem"), "-CAkey", at("ca-key.pem"),
            "-CAcreateserial", "-days", "2", "-extfile", at("client.ext"), "-out", at("client.pem"))
    for name in ("client-ca.pem", "cert.pem"):
        os.chmod(at(name), 0o644)
    return (at("cert.pem"), at("key.pem")), at("client-ca.pem"), (at("client.pem"), at("client-key.pem"))
