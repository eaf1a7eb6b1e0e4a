#!/usr/bin/python3
"""Signs requests with two official programs, for sigv4_oracle_test.cc to compare with.

Reads JSON lines from the file named first and writes one JSON line each to the file named second:
{"botocore": "<Authorization>", "awscrt": "<Authorization>"}; "botocore" is null for requests it can't be asked about.
Needs Debian's python3-botocore and python3-awscrt. Exit code 77: they are not there.
"""
import datetime
import json
import sys
import types

try:
    import awscrt.auth
    import awscrt.http
    import botocore.auth
    from botocore.awsrequest import AWSRequest
    from botocore.config import Config
    from botocore.credentials import Credentials
except ImportError as missing:
    print(missing, file=sys.stderr)
    sys.exit(77)

UTC = datetime.timezone.utc


def by_botocore(case):
    now = datetime.datetime.fromtimestamp(case["time"], UTC).replace(tzinfo=None)

    class Frozen(datetime.datetime):
        @classmethod
        def utcnow(cls):
            return now

    botocore.auth.datetime = types.SimpleNamespace(datetime=Frozen, timedelta=datetime.timedelta)
    url = f"https://{case['host']}{case['path']}" + (f"?{case['query']}" if case["query"] else "")
    request = AWSRequest(method=case["method"], url=url, data=case["body"])
    for name, value in case["headers"]:
        request.headers.add_header(name, value)
    config = Config(s3={"payload_signing_enabled": not case["unsigned"]})
    request.context["client_config"] = config
    signer = botocore.auth.S3SigV4Auth if case["s3"] else botocore.auth.SigV4Auth
    credentials = Credentials(case["key"], case["secret"], case["token"] or None)
    signer(credentials, case["service"], case["region"]).add_auth(request)
    return request.headers["Authorization"]


def by_awscrt(case):
    headers = awscrt.http.HttpHeaders([("host", case["host"])])
    for name, value in case["headers"]:
        headers.add(name, value)
    target = case["path"] + (f"?{case['query']}" if case["query"] else "")
    request = awscrt.http.HttpRequest(case["method"], target, headers)
    config = awscrt.auth.AwsSigningConfig(
        algorithm=awscrt.auth.AwsSigningAlgorithm.V4,
        signature_type=awscrt.auth.AwsSignatureType.HTTP_REQUEST_HEADERS,
        credentials_provider=awscrt.auth.AwsCredentialsProvider.new_static(
            case["key"], case["secret"], case["token"] or None),
        region=case["region"],
        service=case["service"],
        date=datetime.datetime.fromtimestamp(case["time"], UTC),
        use_double_uri_encode=not case["s3"],
        should_normalize_uri_path=not case["s3"],
        signed_body_value=case["payload_hash"],
        signed_body_header_type=awscrt.auth.AwsSignedBodyHeaderType.X_AMZ_CONTENT_SHA_256
        if case["s3"] else awscrt.auth.AwsSignedBodyHeaderType.NONE,
    )
    return awscrt.auth.aws_sign_request(request, config).result(10).headers.get("Authorization")


def main():
    with open(sys.argv[1], encoding="utf-8") as cases, open(sys.argv[2], "w", encoding="utf-8") as out:
        for line in cases:
            case = json.loads(line)
            print(json.dumps({"botocore": by_botocore(case) if case["ask_botocore"] else None,
                              "awscrt": by_awscrt(case)}), file=out)


if __name__ == "__main__":
    main()
