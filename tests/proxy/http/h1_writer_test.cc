#include "proxy/http/h1_writer.h"

#include <gtest/gtest.h>

#include "proxy/http/h1_reader.h"
#include "tests/proxy/http/transcript.h"

namespace verge::http {
namespace {

RequestHead request() {
  RequestHead head;
  head.method = "PUT";
  head.scheme = "https";
  head.authority = "example.com";
  head.path = "/a";
  head.headers.add("accept", "*/*");
  return head;
}

TEST(H1Writer, ARequestBeginsWithItsHost) {
  std::string out;
  write_request_head(out, request(), Framing::none);
  EXPECT_EQ(out, "PUT /a HTTP/1.1\r\nhost: example.com\r\naccept: */*\r\n\r\n");
}

TEST(H1Writer, ARequestSaysHowItsBodyEnds) {
  auto head = request();
  head.has_query = true;
  std::string out;
  write_request_head(out, head, Framing::chunked);
  EXPECT_EQ(out, "PUT /a? HTTP/1.1\r\nhost: example.com\r\naccept: */*\r\ntransfer-encoding: chunked\r\n\r\n");
  out.clear();
  head.query = "b=c";
  head.content_length = 7;
  write_request_head(out, head, Framing::length);
  EXPECT_EQ(out, "PUT /a?b=c HTTP/1.1\r\nhost: example.com\r\naccept: */*\r\ncontent-length: 7\r\n\r\n");
}

TEST(H1Writer, FramingFieldsInTheListAreNotWrittenThrough) {
  auto head = request();
  head.headers.add("content-length", "9");
  head.headers.add("transfer-encoding", "chunked");
  head.headers.add("host", "evil.example");
  head.headers.add("connection", "x");
  std::string out;
  write_request_head(out, head, Framing::none);
  EXPECT_EQ(out, "PUT /a HTTP/1.1\r\nhost: example.com\r\naccept: */*\r\n\r\n");
}

TEST(H1Writer, WhatIsWrittenIsReadBackTheSame) {
  auto head = request();
  head.content_length = 3;
  head.has_body = true;
  std::string out;
  write_request_head(out, head, Framing::length);
  H1RequestReader reader({}, true);
  std::string_view in = out;
  ASSERT_EQ(reader.next(in), H1Event::head);
  EXPECT_EQ(describe(reader.head()), describe(head));
}

TEST(H1Writer, AResponseHeadFromFields) {
  Headers fields;
  fields.add("etag", "\"x\"");
  fields.add("content-length", "99");
  ResponseOut head;
  head.fields = &fields;
  head.extra.add("age", "3");
  head.content_length = 5;
  std::string out;
  write_response_head(out, head, Framing::length, true);
  EXPECT_EQ(out, "HTTP/1.1 200 OK\r\netag: \"x\"\r\nage: 3\r\ncontent-length: 5\r\n\r\n");
}

TEST(H1Writer, ATextIsWhatFieldsRenderAsOrIsNot) {
  Headers fields;
  EXPECT_TRUE(renders_as(fields, ""));
  fields.add("etag", "\"x\"");
  fields.add("content-length", "5");
  fields.add("empty", "");
  const std::string text = render_h1_fields(fields);
  EXPECT_TRUE(renders_as(fields, text));
  EXPECT_FALSE(renders_as(fields, ""));
  EXPECT_FALSE(renders_as(fields, text + "x"));
  for (size_t i = 0; i < text.size(); ++i) {
    EXPECT_FALSE(renders_as(fields, text.substr(0, i))) << i;
    std::string other = text;
    other[i] = '#';
    EXPECT_FALSE(renders_as(fields, other)) << i;
  }
}

TEST(H1Writer, ReadyMadeTextIsUsedAsItIs) {
  Headers fields;
  fields.add("etag", "\"x\"");
  const std::string text = render_h1_fields(fields);
  EXPECT_EQ(text, "etag: \"x\"\r\n");
  ResponseOut head;
  head.status = 404;
  head.h1_text = text;
  std::string out = "before";
  write_response_head(out, head, Framing::chunked, false);
  EXPECT_EQ(out,
            "beforeHTTP/1.1 404 Not Found\r\netag: \"x\"\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n");
}

TEST(H1Writer, AHeadOnlyResponseMayTellTheLengthOfWhatItLeavesOut) {
  ResponseOut head;
  head.content_length = 5;
  head.no_body = true;
  const auto written = [&](int status) {
    head.status = status;
    std::string out;
    write_response_head(out, head, Framing::none, true);
    return out;
  };
  EXPECT_EQ(written(304), "HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n");
  EXPECT_EQ(written(204), "HTTP/1.1 204 No Content\r\n\r\n");
}

TEST(H1Writer, TheConnectionFieldGoesByFramingAndClient) {
  const ResponseOut head;
  std::string out;
  write_response_head(out, head, Framing::close, true);
  EXPECT_EQ(out, "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n");
  out.clear();
  write_response_head(out, head, Framing::length, true, Version::http10);
  EXPECT_EQ(out, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: keep-alive\r\n\r\n");
}

TEST(H1Writer, InterimHeadsAndChunkPrefixes) {
  ResponseHead head;
  head.status = 103;
  head.headers.add("link", "</a>");
  std::string out;
  write_interim_head(out, head);
  EXPECT_EQ(out, "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n");
  EXPECT_EQ(chunk_prefix(31), "1f\r\n");
  EXPECT_EQ(chunk_prefix(65'520), "fff0\r\n");
}

TEST(WriteResponseHead, EndsWithItsEmptyLineHoweverLongItsFieldsAre) {
  for (size_t size = 0; size < 2'000; size += 7) {
    Headers fields;
    fields.add("x-long", std::string(size, 'v'));
    ResponseOut head;
    head.fields = &fields;
    head.content_length = 187;
    std::string out;
    write_response_head(out, head, Framing::length, true);
    EXPECT_EQ(out, "HTTP/1.1 200 OK\r\nx-long: " + std::string(size, 'v') + "\r\ncontent-length: 187\r\n\r\n");
  }
}

TEST(WriteRequestHead, EndsWithItsEmptyLineHoweverLongItsFieldsAre) {
  for (size_t size = 0; size < 2'000; size += 7) {
    RequestHead head;
    head.method = "GET";
    head.path = "/";
    head.query = std::string(size, 'q');
    head.has_query = true;
    head.authority = "h";
    std::string out;
    write_request_head(out, head, Framing::none);
    EXPECT_EQ(out, "GET /?" + std::string(size, 'q') + " HTTP/1.1\r\nhost: h\r\n\r\n");
  }
}

} // namespace
} // namespace verge::http
