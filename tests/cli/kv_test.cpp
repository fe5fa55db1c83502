// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/cli/command_group.h"

using edge::test::contains;
using edge::test::Finished;
using edge::test::RunOptions;
using edge::test::Sandbox;
using edge::test::Words;

namespace {

/// `edgectl kv …`.
struct Kv : edge::test::CommandGroup {
  explicit Kv(bool remote) : CommandGroup("kv", remote) {}
};

}  // namespace

TEST_CASE("values are put, got, listed and deleted, here and through a daemon", "[cli][kv]") {
  const Kv kv(GENERATE(false, true));
  const std::string octets("\0\xFF\n\r\n", 5);
  kv.sandbox.write("octets", octets);

  CHECK(kv.out({"put", "greeting", "hello"}).empty());
  CHECK(kv.out({"put",
                "a/b c?%2F",
                "-i",
                "octets",
                "--metadata",
                R"({"n": 1})",
                "--expires",
                "2100-01-01T00:00:00Z"})
            .empty());
  CHECK(kv.out({"put", "piped"}, "from a pipe\n").empty());
  CHECK(kv.out({"put", "piped", "", "--ns", "sessions"}).empty());

  CHECK(kv.out({"get", "greeting"}) == "hello");
  CHECK(kv.out({"get", "a/b c?%2F"}) == octets);
  CHECK(kv.out({"get", "piped"}) == "from a pipe\n");
  CHECK(kv.out({"get", "piped", "--ns", "sessions"}).empty());
  CHECK(kv.out({"get", "greeting", "--ns", "00000000000000000000000000000001"}) == "hello");
  CHECK(kv.out({"list"}) ==
        "key\texpires\tmetadata\n"
        "a/b c?%2F\t2100-01-01T00:00:00.000Z\t{\"n\":1}\ngreeting\t\t\npiped\t\t\n");
  CHECK(kv.out({"list", "--prefix", "p", "--format", "jsonl"}) == "{\"key\":\"piped\"}\n");
  CHECK(kv.out({"delete", "greeting", "a/b c?%2F", "never there"}).empty());
  CHECK(
      contains(kv.out({"list", "--json"}), "\"key\": \"piped\"\n    }\n  ],\n  \"cursor\": null"));
}

TEST_CASE("lists of keys go on where they ended", "[cli][kv]") {
  const Kv kv(GENERATE(false, true));
  std::string lines;
  for (int i = 100; i < 125; ++i) {
    lines += R"({"key":"k)" + std::to_string(i) + R"(","value":"v"})" + "\n";
  }
  kv.out({"import"}, lines);

  const Finished first = kv.run({"list", "--limit", "3"});
  const std::string cursor = kv.out({"list", "--limit", "3", "--select", "/cursor"});
  const std::string second =
      kv.out({"list", "--limit", "12", "--cursor", cursor.substr(0, cursor.size() - 1)});

  CHECK(first.out == "key\texpires\tmetadata\nk100\t\t\nk101\t\t\nk102\t\t\n");
  CHECK(contains(first.err,
                 "there are more: --all, or --cursor " + cursor.substr(0, cursor.size() - 1)));
  CHECK(contains(second, "\nk103\t"));
  CHECK(contains(second, "\nk114\t"));
  CHECK_FALSE(contains(second, "\nk115\t"));
  CHECK(contains(kv.out({"list", "--limit", "1", "--all"}), "\nk124\t"));
}

TEST_CASE("what is exported can be imported elsewhere", "[cli][kv]") {
  const Kv kv(GENERATE(false, true));
  const std::string list =
      "[{\"key\":\"a\",\"value\":\"text\",\"metadata\":[1, 2]},\n"
      " {\"key\":\"b\",\"value\":\"/wA=\",\"base64\":true,\"expiration\":4102444800},\n"
      " {\"key\":\"over\",\"value\":\"x\",\"expiration\":1000}]";

  CHECK(kv.out({"import", "--ns", "shop", "--create"}, list) == "imported\t2\nended\t1\n");
  const std::string lines = kv.out({"export", "--ns", "shop"});
  CHECK(lines ==
        "{\"key\":\"a\",\"value\":\"text\",\"metadata\":[1,2]}\n"
        "{\"key\":\"b\",\"value\":\"/wA=\",\"base64\":true,\"expiration\":4102444800}\n");
  CHECK(kv.out({"import"}, lines) == "imported\t2\nended\t0\n");
  CHECK(kv.out({"get", "b"}) == std::string("\xFF\0", 2));
  CHECK(kv.out({"export", "--prefix", "a"}) ==
        "{\"key\":\"a\",\"value\":\"text\",\"metadata\":[1,2]}\n");
}

TEST_CASE("a dry run says what would happen and changes nothing", "[cli][kv]") {
  const Kv kv(GENERATE(false, true));
  kv.out({"put", "k", "v"});

  CHECK(contains(kv.run({"put", "k", "new", "-n"}).err,
                 "would write 3 octets under \"k\" in the namespace \"cache\""));
  CHECK(contains(kv.run({"delete", "k", "-n"}).err,
                 "would delete 1 keys of the namespace \"cache\""));
  CHECK(kv.out({"import", "-n", "--ns", "new", "--create"}, "{\"key\":\"k\",\"value\":\"x\"}") ==
        "imported\t1\nended\t0\n");

  CHECK(kv.out({"get", "k"}) == "v");
  CHECK(kv.run({"list", "--ns", "new"}).exit == 5);
}

TEST_CASE("mistakes are told by what was given", "[cli][kv]") {
  const Kv kv(GENERATE(false, true));
  const auto check =
      [&](const Words& words, const std::string& wanted, const std::string& input = {}) {
        INFO(wanted);
        const std::string told = kv.refusal(words, input);
        INFO(told);
        CHECK(told.starts_with(wanted));
      };
  kv.out({"put", "some", "value"});
  check({"get", "none"}, "5 edgectl kv get: there is no key \"none\" in the namespace \"cache\"");
  check({"get", "k", "--ns", "none"}, "5 edgectl kv get: there is no namespace \"none\"\n");
  check({"put", "k", "v", "--ns", "none"},
        "5 edgectl kv put: there is no namespace \"none\"; --create makes one of that title");
  check({"put", "k", "v", "--ns", "", "--create"},
        "3 edgectl kv put: the title of a namespace is 1 to 512 octets of UTF-8");
  check({"get", ".."}, "3 edgectl kv get: \"..\" cannot be a key");
  check({"put", "..", "v"}, "3 edgectl kv put: \"..\" cannot be a key");
  check({"delete", std::string(513, 'k')},
        "3 edgectl kv delete: a key has at most 512 octets, this one 513");
  check({"put", "k", "v", "--ttl", "59s"},
        "3 edgectl kv put: the time to live is 60 seconds or more, not 59");
  check({"put", "k", "v", "--expires", "2001-01-01T00:00:00Z"},
        "3 edgectl kv put: expiration 978307200 must be");
  check({"put", "k", "v", "--ttl", "1h", "--expires", "now"}, "2 edgectl kv put: --ttl and");
  check({"put", "k", "v", "-i", "x"}, "2 edgectl kv put: VALUE and --input");
  check({"put", "k", "v", "--metadata", "{n:1}"}, "3 edgectl kv put: metadata must be JSON text");
  check({"put", "k", "v", "--metadata", '"' + std::string(1'023, 'm') + '"'},
        "3 edgectl kv put: metadata has at most 1024 octets");
  check({"put", "k"},
        "7 edgectl kv put: a value has at most 26214400 octets",
        std::string(26'214'401, 'v'));
  check({"put", "k", "-i", "none"}, "3 edgectl kv put: ");
  check({"list", "--limit", "0"}, "2 edgectl kv list: --limit is too small");
  check({"list", "--cursor", "!"}, "3 edgectl kv list: the cursor is not one of this list");
  check({"import"},
        "3 edgectl kv import: standard input, line 2: value must be a text",
        "{\"key\":\"a\",\"value\":\"1\"}\n{\"key\":\"b\"}\n");
  CHECK(kv.out({"get", "a"}) == "1");
  check({"import"}, "3 edgectl kv import: standard input, line 1: ", "{\"key\":");
  check({"import"},
        "3 edgectl kv import: entry 1: an entry is an object",
        "[{\"key\":\"a\",\"value\":\"1\"},\n7]");
  check({"import", "--ns", "none"}, "5 edgectl kv import: there is no namespace \"none\"");
}

TEST_CASE("wrong ids of the two namespaces are told before a daemon starts", "[cli][kv]") {
  const Sandbox sandbox;
  sandbox.write("edge.toml", "[kv]\ncache_id = \"00000000000000000000000000000002\"\n");

  const Finished same = sandbox.edgectl({"config", "validate"});
  const Finished wrong =
      sandbox.edgectl({"config", "validate"}, RunOptions{.env = {{"EDGE_KV_CACHE_ID", "abc"}}});

  CHECK(same.exit == 1);
  CHECK(contains(same.out + same.err, "kv.cache_id and kv.sessions_id must differ"));
  CHECK(wrong.exit == 1);
  CHECK(contains(wrong.out + wrong.err,
                 "kv.cache_id is 32 lower-case hexadecimal digits, not \"abc\""));
}
