// Whether a text has the form that a field asks for. Each returns what is wrong, as the rest of a sentence that begins
// with the text, or nothing. Pure: nothing is opened, resolved or asked for.
#pragma once

#include <string>
#include <string_view>

namespace verge::config {

std::string check_listen(std::string_view text); // 127.0.0.1:80, [::1]:80, :80, unix:/run/verge.sock
std::string check_url(std::string_view text);    // http(s)://host[:port][/path]
std::string check_https_url(std::string_view text);
std::string check_node(std::string_view text); // host:port, or http(s)://host[:port]
std::string check_host(std::string_view text); // a site's host: name, *.name or *
std::string check_host_header(std::string_view text);
std::string check_match(std::string_view text);
std::string check_sns_path(std::string_view text);
std::string check_purge_host(std::string_view text); // a host's name, without *
std::string check_purge_path(std::string_view text); // /a, /img/*
std::string check_region(std::string_view text);
std::string check_bucket(std::string_view text);
std::string check_function(std::string_view text);
std::string check_topic(std::string_view text);
std::string check_cached_method(std::string_view method);
std::string check_tag(std::string_view text);
std::string check_purge_target(std::string_view text); // /a, /img/*, *.css, https://host/a
std::string check_parameter(std::string_view text);    // a query parameter's name, with *
std::string check_cookie_name(std::string_view text);  // with *
std::string check_key_header(std::string_view text);   // a request field that may be in a cache key
std::string check_forward(std::string_view text);      // a request field that may be handed on, with *
// 429 and the like, which policy never stores; a test holds the two lists together.
bool answers_one_request(int status);
std::string check_field_name(std::string_view text);
std::string check_target(std::string_view text);       // surrogate-control, or a field of RFC 9213
std::string check_name(std::string_view text);         // of an origin
std::string check_header_token(std::string_view text); // no spaces, as tokens for an Authorization header are

bool is_loopback(std::string_view listen);    // of a text that check_listen likes; unix: counts as loopback
bool is_loopback_node(std::string_view node); // of a text that check_node likes
bool is_aws_region(std::string_view region);  // eu-west-1, us-gov-east-1; not every S3-like store names them so
// The region inside an ARN, or inside https://<id>.execute-api.<region>.amazonaws.com; else empty.
std::string_view region_of_arn(std::string_view arn);
// Or inside https://sqs.<region>.amazonaws.com/<account>/<name>.
std::string_view region_of_queue(std::string_view url);
std::string_view region_of_url(std::string_view url);

} // namespace verge::config
