#include "proxy/control/purge_client.h"

#include <gmock/gmock.h>
#include <poll.h>

#include <nlohmann/json.hpp>

#include "proxy/net/listener.h"
#include "tests/origin/support/scripted_origin.h"
#include "tests/proxy/net/child.h"

namespace verge::control {
namespace {

using nlohmann::json;
using origin::Peer;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;

std::string response(int status, const std::string& body) {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

// Runs one purge against a node that answers with these octets; notes what it was sent.
struct PurgeClientTest : testing::Test {
  Result<PurgeDone> run_whole(const std::vector<std::string>& answers) {
    std::vector<std::function<void(Peer&)>> connections;
    for (const auto& answer : answers) {
      connections.emplace_back([this, answer](Peer& peer) {
        heads.push_back(peer.read_head());
        head = heads.back();
        const auto at = head.find("content-length: ");
        if (at != std::string::npos) body = peer.read(std::stoul(head.substr(at + 16)));
        peer.send(answer);
      });
    }
    origin::ScriptedOrigin node(std::move(connections));
    request.node.address = "127.0.0.1:" + std::to_string(node.port());
    return run_purge(request);
  }
  Result<std::string> run(const std::string& answer) {
    auto done = run_whole({answer});
    if (!done) return std::unexpected(std::move(done.error()));
    return std::move(done->text);
  }
  std::string error(const std::string& answer) {
    const auto done = run(answer);
    return done ? "(none)" : done.error().what;
  }
  PurgeRequest request{{}, {"/a"}, {}, {}, false, false, false, false};
  std::string head, body;
  std::vector<std::string> heads;
};

const std::string kGood = response(200, R"({"seq": 17, "targets": 1, "soft": false})");

TEST_F(PurgeClientTest, SendsWhatShallBePurgedAndTellsWhatWas) {
  request.paths = {"/a", "https://www.example.com/b*"};
  request.tags = {"home"};
  request.soft = true;
  const auto done = run(kGood);
  ASSERT_TRUE(done.has_value()) << done.error().what;
  EXPECT_THAT(*done, MatchesRegex("marked stale: 2 paths, 1 tag: sequence 17, [0-9.]+ ms\n"));
  EXPECT_THAT(head, StartsWith("POST /purge HTTP/1.1\r\n"));
  EXPECT_EQ(head.find("authorization"), std::string::npos);
  EXPECT_EQ(json::parse(body),
            (json{{"paths", {"/a", "https://www.example.com/b*"}}, {"tags", {"home"}}, {"soft", true}}));
}

TEST_F(PurgeClientTest, PurgesEverything) {
  request.paths.clear();
  request.all = true;
  EXPECT_THAT(run(kGood).value(), StartsWith("purged everything: sequence 17"));
  EXPECT_EQ(json::parse(body), (json{{"all", true}}));
}

TEST_F(PurgeClientTest, CountsOnADryRun) {
  request.dry_run = true;
  request.wait = true;
  EXPECT_EQ(run(response(200, R"({"dry_run": true, "entries": 2})")).value(),
            "dry run: 1 path would drop 2 stored responses\n");
  EXPECT_EQ(json::parse(body), (json{{"paths", {"/a"}}, {"dry_run", true}}));
}

TEST_F(PurgeClientTest, WaitsUntilTheFleetIsSettledAndTellsNodeByNode) {
  request.wait = true;
  request.sites = {"www.example.com"};
  request.id = "deploy-7";
  const auto nodes = [](const std::string& settled, const std::string& more) {
    return response(200, R"({"id": "deploy-7", "wait_timeout": 60000, "settled": )" + settled +
                             R"(, "nodes": [{"node": "a", "state": "applied", "seq": 17, "ms": 0.5, "entries": 3}, )" +
                             more + "]}");
  };
  const auto done = run_whole({response(200, R"({"id": "deploy-7", "seq": 17})"),
                               nodes("false", R"({"node": "b", "state": "waiting"})"),
                               nodes("true", R"({"node": "b", "state": "down"})")})
                        .value();
  EXPECT_EQ(json::parse(body), (json{{"paths", {"/a"}}, {"sites", {"www.example.com"}}, {"id", "deploy-7"}}));
  ASSERT_EQ(heads.size(), 3U);
  EXPECT_THAT(heads[1], StartsWith("GET /purges/deploy-7/nodes?count=true&wait=5 HTTP/1.1\r\n"));
  EXPECT_THAT(done.text, StartsWith("purged 1 site, 1 path: sequence 17"));
  EXPECT_THAT(done.text, HasSubstr("slowest: a, 0.5 ms\n"));
  EXPECT_EQ(done.fault, "down: b");
  EXPECT_EQ(done.status, 3);
}

TEST_F(PurgeClientTest, SaysWhatWasDoneWhenTheWaitingFails) {
  request.wait = true;
  const auto done = run_whole({response(200, R"({"id": "p-1", "seq": 17})"), response(500, "<html>")});
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().what, HasSubstr("purged 1 path: sequence 17"));
  EXPECT_THAT(done.error().what, HasSubstr("waiting for id p-1"));
}

TEST_F(PurgeClientTest, GivesTheToken) {
  request.node.token = "secret";
  EXPECT_TRUE(run(kGood).has_value());
  EXPECT_THAT(head, HasSubstr("authorization: Bearer secret\r\n"));
}

TEST_F(PurgeClientTest, ReadsAnAnswerThatComesInPieces) {
  EXPECT_TRUE(
      run("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n{\"seq\"\r\n4\r\n: 3}\r\n0\r\n\r\n").has_value());
}

TEST_F(PurgeClientTest, SaysThatNoNodeAnswers) {
  {
    const origin::ListenSocket gone;
    request.node.address = "127.0.0.1:" + std::to_string(gone.port());
  }
  const auto done = run_purge(request);
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().what, "no node answers at " + request.node.address +
                                   " (Connection refused); is verge serve running, and is this its admin address?");
  request.node.address = "unix:/nowhere/verge.sock";
  EXPECT_THAT(run_purge(request).error().what, HasSubstr("no node answers at unix:/nowhere/verge.sock"));
  request.node.address = "nonsense";
  EXPECT_EQ(run_purge(request).error().code, Errc::bad_input);
  request.node.address = "unix:/" + std::string(200, 'x');
  EXPECT_THAT(run_purge(request).error().what, HasSubstr("unix"));
}

TEST_F(PurgeClientTest, SaysWhichTokenIsWanted) {
  const std::string answer = response(401, R"({"error": "the admin token is missing or wrong"})");
  EXPECT_THAT(error(answer), HasSubstr("asks for a token that is missing; give the node's admin.token with --token"));
  request.node.token = "x";
  EXPECT_THAT(error(answer), HasSubstr("asks for a token that is another"));
}

TEST_F(PurgeClientTest, PassesOnWhatTheNodeFindsWrong) {
  const auto done = run(response(400, R"({"error": "path \"x y\": holds a space"})"));
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().code, Errc::bad_input);
  EXPECT_EQ(done.error().what, "path \"x y\": holds a space");
  EXPECT_EQ(run(response(503, R"({"error": "not durable"})")).error().code, Errc::refused);
}

TEST_F(PurgeClientTest, SaysThatAnotherProgramAnswers) {
  EXPECT_THAT(error(response(404, "<html>")), HasSubstr("is not a Verge admin address: it answered 404"));
  EXPECT_THAT(error(response(200, "<html>")), HasSubstr("is not a Verge admin address: it answered 200"));
  EXPECT_THAT(error(response(200, "{}")), HasSubstr("is not a Verge admin address"));
  EXPECT_THAT(error("220 mail.example ESMTP\r\n\r\n"), HasSubstr("not a Verge admin address"));
}

TEST_F(PurgeClientTest, SaysThatTheAnswerBrokeOff) {
  EXPECT_THAT(error(""), HasSubstr("closed without a whole answer"));
  EXPECT_THAT(error(kGood.substr(0, kGood.size() - 5)), HasSubstr("closed without a whole answer"));
}

TEST_F(PurgeClientTest, ReachesAUnixSocket) {
  const net::TempDir folder;
  request.node.address = "unix:" + (folder / "admin.sock");
  const int fd = net::Listener::bind(*net::Endpoint::parse(request.node.address), 1).value();
  std::thread node([&] {
    pollfd ready{fd, POLLIN, 0};
    ::poll(&ready, 1, 10'000);
    Peer peer(::accept(fd, nullptr, nullptr));
    head = peer.read_head();
    peer.send(kGood);
    peer.read_to_end();
  });
  EXPECT_TRUE(run_purge(request).has_value());
  node.join();
  ::close(fd);
  EXPECT_THAT(head, StartsWith("POST /purge HTTP/1.1\r\n"));
}

} // namespace
} // namespace verge::control
