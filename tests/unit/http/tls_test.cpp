// SPDX-License-Identifier: MIT
#include "daemon/http/tls.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <memory>
#include <string>

#include "tests/support/certificate.h"
#include "tests/support/fakes.h"
#include "tests/unit/http/fixture.h"

namespace edge {
namespace {

using test::RawClient;
using test::TestServer;

struct Wishes {
  int version = 0;  ///< the only one; 0 = any
  std::string protocols = {};
  const char* suites = nullptr;  ///< of TLS 1.2
  SSL_SESSION* resumes = nullptr;
};

/// A blocking TLS client that trusts nobody and checks nothing: the tests look at what it got.
class TlsClient {
 public:
  TlsClient(const http::Endpoint& server, const Wishes& wishes)
      : context_(SSL_CTX_new(TLS_client_method())), descriptor_(::socket(AF_INET, SOCK_STREAM, 0)) {
    if (wishes.version != 0) {
      SSL_CTX_set_min_proto_version(context_.get(), wishes.version);
      SSL_CTX_set_max_proto_version(context_.get(), wishes.version);
    }
    SSL_CTX_set_security_level(context_.get(), 0);
    if (wishes.suites != nullptr) {
      SSL_CTX_set_cipher_list(context_.get(), wishes.suites);
    }
    SSL_CTX_set_session_cache_mode(context_.get(), SSL_SESS_CACHE_CLIENT);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(server.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    timeval patience{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    REQUIRE(::connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    session_.reset(SSL_new(context_.get()));
    SSL_set_fd(session_.get(), descriptor_);
    if (!wishes.protocols.empty()) {
      SSL_set_alpn_protos(session_.get(),
                          reinterpret_cast<const unsigned char*>(wishes.protocols.data()),
                          static_cast<unsigned int>(wishes.protocols.size()));
    }
    if (wishes.resumes != nullptr) {
      SSL_set_session(session_.get(), wishes.resumes);
    }
    connected_ = SSL_connect(session_.get()) == 1;
    ERR_clear_error();
  }
  ~TlsClient() {
    session_.reset();
    ::close(descriptor_);
  }
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;
  TlsClient(TlsClient&&) = delete;
  TlsClient& operator=(TlsClient&&) = delete;

  [[nodiscard]] bool is_connected() const { return connected_; }
  [[nodiscard]] std::string suite() const { return SSL_get_cipher_name(session_.get()); }
  [[nodiscard]] std::string protocol() const {
    const unsigned char* name = nullptr;
    unsigned int size = 0;
    SSL_get0_alpn_selected(session_.get(), &name, &size);
    return {reinterpret_cast<const char*>(name), size};
  }
  [[nodiscard]] bool is_resumed() const { return SSL_session_reused(session_.get()) == 1; }
  [[nodiscard]] long serial() const {
    const std::unique_ptr<X509, decltype(&X509_free)> peer(
        SSL_get1_peer_certificate(session_.get()), X509_free);
    return ASN1_INTEGER_get(X509_get_serialNumber(peer.get()));
  }
  SSL* raw() { return session_.get(); }

  void send(std::string_view octets) {
    while (!octets.empty()) {
      const int count = SSL_write(session_.get(), octets.data(), static_cast<int>(octets.size()));
      REQUIRE(count > 0);
      octets.remove_prefix(static_cast<std::size_t>(count));
    }
  }
  /// Reads until `size` octets or the end have come.
  std::string read(std::size_t size) {
    std::string out;
    std::array<char, 16'384> buffer;
    while (out.size() < size) {
      const int count = SSL_read(session_.get(), buffer.data(), buffer.size());
      if (count <= 0) {
        ERR_clear_error();
        break;
      }
      out.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return out;
  }
  /// The status line and fields of a request on this connection.
  std::string ask(std::string_view path) {
    send("GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    std::string out;
    while (out.find("\r\n\r\n") == std::string::npos) {
      const std::string more = read(1);
      if (more.empty()) {
        break;
      }
      out += more;
    }
    return out;
  }

 private:
  struct Freer {
    void operator()(SSL* session) const { SSL_free(session); }
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  std::unique_ptr<SSL_CTX, Freer> context_;
  int descriptor_;
  std::unique_ptr<SSL, Freer> session_;
  bool connected_ = false;
};

/// A server that speaks TLS with a certificate of its own.
struct Secure {
  Secure() {
    std::signal(SIGPIPE, SIG_IGN);
    test::write_certificate(directory.path().string(), "edge", test::make_certificate(1));
    auto opened = http::Tls::open(files());
    REQUIRE(opened);
    tls = *std::move(opened);
    server.door.tls = tls.get();
    server.add_sample_routes();
    server.route(http::Method::Get,
                 "/large",
                 {.needs = http::Public},
                 http::SyncHandler([](const http::Request&) -> Result<http::Response> {
                   return http::text(std::string(std::size_t{3} << 20U, 'x'));
                 }));
    server.route(
        http::Method::Post,
        "/size",
        {.needs = http::Public, .max_body = std::size_t{4} << 20U, .accepts = http::Accepts::Any},
        http::SyncHandler([](const http::Request& request) -> Result<http::Response> {
          return http::text(std::to_string(request.body().size()));
        }));
    server.start();
  }
  [[nodiscard]] http::Tls::Files files() const {
    return {.certificate = directory / "edge.crt", .key = directory / "edge.key"};
  }
  [[nodiscard]] TlsClient connect(const Wishes& wishes = {}) const {
    return {server.endpoint(), wishes};
  }

  test::TempDir directory;
  std::unique_ptr<http::Tls> tls;
  TestServer server;
};

}  // namespace

TEST_CASE("TLS carries many requests on one connection, with HSTS", "[tls]") {
  Secure secure;
  auto client = secure.connect({.protocols = std::string("\x08http/1.1", 9)});
  REQUIRE(client.is_connected());

  const std::string first = client.ask("/health/live");
  client.read(15);
  const std::string second = client.ask("/pixel/track/x");

  CHECK(client.protocol() == "http/1.1");
  CHECK(first.starts_with("HTTP/1.1 200"));
  CHECK(first.find("Strict-Transport-Security: max-age=15552000; includeSubDomains\r\n") !=
        std::string::npos);
  CHECK(second.starts_with("HTTP/1.1 200"));
}

TEST_CASE("without TLS there is no HSTS, unless a trusted proxy says https", "[tls]") {
  TestServer server;
  server.config.trusted_proxies = {http::Network::parse("127.0.0.1").value()};
  server.add_sample_routes();
  server.start();
  const auto hsts = [&](const std::string& fields) {
    return server.ask("GET /health/live HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n")
        .field("Strict-Transport-Security");
  };

  CHECK(hsts("").empty());
  CHECK(hsts("X-Forwarded-Proto: http\r\n").empty());
  CHECK(hsts("X-Forwarded-Proto: https\r\n") == "max-age=15552000; includeSubDomains");
}

TEST_CASE("only TLS 1.2 with AEAD and TLS 1.3 are spoken", "[tls]") {
  Secure secure;

  const auto v12 = secure.connect({.version = TLS1_2_VERSION});
  const auto v13 = secure.connect({.version = TLS1_3_VERSION});

  CHECK(v12.is_connected());
  CHECK((v12.suite().find("GCM") != std::string::npos ||
         v12.suite().find("CHACHA20") != std::string::npos));
  CHECK(v13.is_connected());
  CHECK_FALSE(secure.connect({.version = TLS1_1_VERSION}).is_connected());
  CHECK_FALSE(secure.connect({.version = TLS1_2_VERSION, .suites = "ECDHE-ECDSA-AES128-SHA256"})
                  .is_connected());
}

TEST_CASE("a client that speaks HTTP/2 only is refused in the handshake", "[tls]") {
  Secure secure;

  CHECK_FALSE(secure.connect({.protocols = std::string("\x02h2", 3)}).is_connected());
  CHECK(secure.connect({.protocols = std::string("\x02h2\x08http/1.1", 12)}).protocol() ==
        "http/1.1");
}

TEST_CASE("large bodies pass through TLS whole in both directions", "[tls]") {
  Secure secure;
  auto client = secure.connect();
  const std::size_t size = std::size_t{3} << 20U;

  client.send("POST /size HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(size) +
              "\r\n\r\n");
  client.send(std::string(size, 'b'));
  const std::string sized = client.read(1);
  auto other = secure.connect();
  const std::string begin = other.ask("/large");
  const std::size_t head = begin.find("\r\n\r\n") + 4;
  const std::string rest = other.read(size - (begin.size() - head));

  CHECK(sized.find(std::to_string(size)) != std::string::npos);
  CHECK(begin.find("Content-Length: 3145728") != std::string::npos);
  CHECK(begin.size() - head + rest.size() == size);
}

TEST_CASE("a new certificate counts for new connections, old ones go on", "[tls]") {
  Secure secure;
  auto before = secure.connect();
  REQUIRE(before.serial() == 1);
  REQUIRE(before.ask("/health/live").starts_with("HTTP/1.1 200"));
  before.read(15);

  test::write_certificate(secure.directory.path().string(), "edge", test::make_certificate(2));
  REQUIRE(secure.tls->reload());
  const auto after = secure.connect();

  CHECK(after.serial() == 2);
  CHECK(before.ask("/health/live").starts_with("HTTP/1.1 200"));
}

TEST_CASE("a certificate that cannot be used leaves the old one in force", "[tls]") {
  Secure secure;
  const std::string directory = secure.directory.path().string();
  auto mixed = test::make_certificate(2);
  mixed.key = test::make_certificate(3).key;
  test::write_certificate(directory, "edge", mixed);

  const auto reloaded = secure.tls->reload();

  REQUIRE_FALSE(reloaded);
  CHECK(reloaded.error().field == "server.tls.key");
  CHECK(reloaded.error().message.find("does not belong to the certificate") != std::string::npos);
  CHECK(secure.connect().serial() == 1);
}

TEST_CASE("files of TLS that are wrong are named", "[tls]") {
  test::TempDir directory;
  const auto pair = test::make_certificate();
  test::write_certificate(directory.path().string(), "edge", pair);
  std::filesystem::copy_file(directory / "edge.key", directory / "open.key");
  std::filesystem::permissions(directory / "open.key", std::filesystem::perms(0644));
  const auto problem = [&](const std::string& certificate, const std::string& key) {
    const auto opened =
        http::Tls::open({.certificate = directory / certificate, .key = directory / key});
    return opened ? std::string() : opened.error().field + ": " + opened.error().message;
  };

  CHECK(problem("edge.crt", "edge.key").empty());
  CHECK(problem("none.crt", "edge.key").find("server.tls.certificate: ") == 0);
  CHECK(problem("edge.key", "edge.key").find("holds no certificate") != std::string::npos);
  CHECK(problem("edge.crt", "edge.crt").find("server.tls.key: ") == 0);
  CHECK(problem("edge.crt", "open.key").find("open.key") != std::string::npos);
  CHECK_FALSE(http::Tls::open({.certificate = directory / "edge.crt"}));
}

TEST_CASE("tickets resume a session until their keys are rotated", "[tls]") {
  Secure secure;
  auto first = secure.connect({.version = TLS1_2_VERSION});
  const std::unique_ptr<SSL_SESSION, decltype(&SSL_SESSION_free)> ticket(
      SSL_get1_session(first.raw()), SSL_SESSION_free);

  const bool resumed =
      secure.connect({.version = TLS1_2_VERSION, .resumes = ticket.get()}).is_resumed();
  secure.tls->rotate_ticket_keys();
  const auto after = secure.connect({.version = TLS1_2_VERSION, .resumes = ticket.get()});

  CHECK(resumed);
  CHECK(after.is_connected());
  CHECK_FALSE(after.is_resumed());
}

TEST_CASE("renegotiation is refused", "[tls]") {
  Secure secure;
  auto client = secure.connect({.version = TLS1_2_VERSION});
  REQUIRE(client.is_connected());

  CHECK_FALSE((SSL_renegotiate(client.raw()) == 1 && SSL_do_handshake(client.raw()) == 1));
  ERR_clear_error();
}

TEST_CASE("a handshake that does not come in time ends the connection", "[tls]") {
  Secure secure;
  RawClient silent(secure.server.endpoint());
  silent.send(std::string("\x16\x03\x01", 3));
  REQUIRE(secure.connect().ask("/health/live").starts_with("HTTP/1.1 200"));

  secure.server.clock.advance(std::chrono::seconds(11));

  CHECK(silent.read_to_end());
  CHECK(silent.received().empty());
}

TEST_CASE("a request in clear on a TLS port gets no answer in clear", "[tls]") {
  Secure secure;
  RawClient client(secure.server.endpoint());

  client.send("GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n");

  CHECK(client.read_to_end());
  CHECK(client.received().find("HTTP/1.1 200") == std::string::npos);
}

}  // namespace edge
