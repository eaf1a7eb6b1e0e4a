"""The test's own authority, and what it signs: the node, a client, the server of SNS certificates, SNS itself."""

import base64
import hashlib

from .processes import run

SNS_CERTIFICATE_PATH = "/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"


class Certificates:
    def __init__(self, folder, host):
        folder.mkdir()
        self.folder = folder
        self._authority("ca", "Test Authority")
        self._authority("strangers", "Authority of Strangers")
        self._signed("ca", "edge", "/CN=edge", f"subjectAltName=DNS:{host},DNS:localhost,IP:127.0.0.1")
        self._signed("ca", "alice", "/O=Harbour/CN=alice", "extendedKeyUsage=clientAuth")
        self._signed("strangers", "mallory", "/CN=mallory", "extendedKeyUsage=clientAuth")
        self._signed("ca", "aws", "/CN=localhost", "subjectAltName=DNS:localhost,IP:127.0.0.1")
        # What SNS signs with; nobody checks its chain, as is so with the real one.
        self._signed("ca", "sns", "/CN=sns.amazonaws.com", "subjectAltName=DNS:sns.amazonaws.com")

    def path(self, name):
        return self.folder / name

    def spki_hash(self, name):
        """Base64 of the SHA-256 of the public key, as Chromium's switch takes it."""
        public = run(["openssl", "x509", "-in", self.path(name), "-pubkey", "-noout"]).stdout
        der = run(["openssl", "pkey", "-pubin", "-outform", "DER"], stdin=public).stdout
        return base64.b64encode(hashlib.sha256(der).digest()).decode()

    def sign(self, text, digest):
        """Base64 of SNS's RSA PKCS#1 v1.5 signature of `text`; `digest` is sha1 or sha256."""
        signature = run(["openssl", "dgst", f"-{digest}", "-sign", self.path("sns.key")], stdin=text.encode()).stdout
        return base64.b64encode(signature).decode()

    def _authority(self, name, title):
        run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
             "-subj", f"/CN={title}", "-keyout", self.path(f"{name}.key"), "-out", self.path(f"{name}.pem")])

    def _signed(self, by, name, subject, extension):
        request, extensions = self.path(f"{name}.csr"), self.path(f"{name}.ext")
        run(["openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", subject, "-keyout", self.path(f"{name}.key"),
             "-out", request])
        extensions.write_text(extension + "\n")
        run(["openssl", "x509", "-req", "-in", request, "-CA", self.path(f"{by}.pem"), "-CAkey",
             self.path(f"{by}.key"), "-CAcreateserial", "-days", "2", "-extfile", extensions, "-out",
             self.path(f"{name}.pem")])
