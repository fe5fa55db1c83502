// SPDX-License-Identifier: MIT
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "core/json/document.h"
#include "tests/support/process.h"
#include "tests/support/vectors.h"

using edge::test::Finished;
using edge::test::Sandbox;

namespace {

const std::string kTime = "1732369255";
const std::string kBase = "https://t.example.com";
const std::string kMail =
    "<html><body>\n<a href=\"https://shop.example.com/?a=1&amp;b=2\">go</a>\n"
    "<a href=\"mailto:a@b.example\">write</a>\n</body></html>\n";

/// A sandbox with the key ring of the golden data.
struct Build {
  Sandbox sandbox;
  std::string ring;

  Build() {
    ring = sandbox.write("ring.json",
                         edge::test::vector_text("identity", "pixel_keys.json").value_or("{}"));
    REQUIRE(::chmod(ring.c_str(), 0600) == 0);
  }

  Finished run(std::vector<std::string> arguments, const std::string& input = {}) const {
    return sandbox.edgectl(arguments, {.env = {{"SOURCE_DATE_EPOCH", kTime}}, .input = input});
  }
  /// With ring and base address.
  Finished make(std::vector<std::string> arguments, const std::string& input = {}) const {
    for (const char* more : {"--keys", ring.c_str(), "--base-url", kBase.c_str()}) {
      arguments.emplace_back(more);
    }
    return run(std::move(arguments), input);
  }
};

std::string line_of(const std::string& text, std::size_t number) {
  std::size_t at = 0;
  for (; number > 1; --number) {
    at = text.find('\n', at) + 1;
  }
  return text.substr(at, text.find('\n', at) - at);
}

}  // namespace

TEST_CASE("a link generated here is decoded and verified, and refused when altered", "[cli]") {
  const Build build;
  const Finished made = build.make({"link",
                                    "generate",
                                    "https://shop.example.com/sale?a=1&b=2",
                                    "--campaign",
                                    "summer",
                                    "--recipient",
                                    "u-42",
                                    "--link-id",
                                    "hero"});
  REQUIRE(made.exit == 0);
  const std::string url = line_of(made.out, 1);
  CHECK(url.starts_with(kBase + "/pixel/click/I"));

  const Finished decoded =
      build.run({"link", "decode", url, "--keys", build.ring, "--select", "/url"});
  const Finished good =
      build.run({"link", "verify", "-", "--keys", build.ring, "--now", kTime, "--json"}, made.out);
  const Finished bad = build.run({"link", "verify", url + "AAAA", "--keys", build.ring});
  const Finished json = build.make(
      {"link", "generate", "https://shop.example.com/", "--json", "--select", "/data/url"});

  CHECK(decoded.out == "https://shop.example.com/sale?a=1&b=2\n");
  CHECK(decoded.err.find("signature not checked") != std::string::npos);
  CHECK(good.exit == 0);
  CHECK(good.out.find(R"("kind": "click")") != std::string::npos);
  CHECK(good.out.find(R"("linkId": "hero")") != std::string::npos);
  CHECK(bad.exit == 1);
  CHECK(json.out == "https://shop.example.com/\n");
}

TEST_CASE("wrong targets, addresses and key numbers are refused by name", "[cli]") {
  const Build build;
  const auto [arguments, exit, words] = GENERATE(table<std::vector<std::string>, int, std::string>({
      {{"link", "generate", "ftp://x.example/"}, 3, "http or https"},
      {{"link", "generate", "https://stra\u00dfe.example/"}, 3, "non-ASCII"},
      {{"link", "generate"}, 2, "URL or --batch"},
      {{"link", "generate", "https://x.example/", "--kid", "4294967297"}, 2, "0 to 255"},
      {{"link", "generate", "https://x.example/", "--kid", "77"}, 5, "77"},
      {{"link", "generate", "https://x.example/", "--recipient", "a", "--merge-tag", "{{b}}"},
       2,
       "exclude"},
      {{"link", "rewrite", "mail.html", "--skip", "("}, 2, "regular expression"},
      {{"link", "rewrite", "-", "-w"}, 2, "standard input"},
      {{"pixel", "inject", "mail.html"}, 2, "--campaign"},
      {{"pixel", "inject", "none.html", "--campaign", "c"}, 3, "none.html"},
      {{"pixel", "generate", "--campaign", "c", "--base-url", "t.example.com"},
       3,
       "no base address"},
  }));
  std::vector<std::string> all = arguments;
  all.insert(all.end(), {"--keys", build.ring});
  build.sandbox.write("mail.html", kMail);

  const Finished refused = build.run(all, kMail);

  CAPTURE(refused.err);
  CHECK(refused.exit == exit);
  CHECK(refused.out.empty());
  CHECK(refused.err.find(words) != std::string::npos);
}

TEST_CASE("the header lines of one-click unsubscribe need https", "[cli]") {
  const Build build;
  const std::vector<std::string> arguments{
      "link", "unsubscribe", "--recipient", "u-1", "--list", "news"};
  const Finished lines = build.make(arguments);
  std::vector<std::string> plain = arguments;
  plain.insert(plain.end(), {"--keys", build.ring, "--base-url", "http://t.example.com"});
  std::vector<std::string> template_token = arguments;
  template_token[3] = "*";

  const Finished over_http = build.run(plain);
  const Finished nobody = build.make(template_token);
  const Finished read =
      build.run({"link", "verify", "-", "--keys", build.ring, "--json"}, line_of(lines.out, 1));

  REQUIRE(lines.exit == 0);
  CHECK(line_of(lines.out, 1).starts_with("List-Unsubscribe: <" + kBase + "/pixel/unsubscribe/J"));
  CHECK(line_of(lines.out, 1).ends_with(">"));
  CHECK(line_of(lines.out, 2) == "List-Unsubscribe-Post: List-Unsubscribe=One-Click");
  CHECK(read.out.find(R"("kind": "unsubscribe")") != std::string::npos);
  CHECK(read.out.find(R"("listId": "news")") != std::string::npos);
  CHECK(over_http.exit == 3);
  CHECK(nobody.exit == 3);
}

TEST_CASE("links and pixels are made and verified in batches", "[cli]") {
  const Build build;
  const std::string records =
      R"({"id":1,"record":{"issuedAt":1732369255,"url":"https://x.example/"},"kid":1})"
      "\n"
      R"({"id":2,"record":{"url":"nowhere"}})"
      "\nnot json\n"
      R"({"id":3,"record":{"kind":"unsubscribe","recipientId":"u"},"kid":4294967297})"
      "\n";

  const Finished made =
      build.run({"link", "generate", "--batch", "-", "--keys", build.ring}, records);
  const auto first = edge::json::Document::parse(line_of(made.out, 1), edge::json::kStrict);
  const std::string token(*first->root().find("token")->as_string());
  const Finished read =
      build.run({"link", "verify", "--batch", "-", "--keys", build.ring, "--fail-invalid"},
                R"({"id":"a","token":")" + token + R"(","options":{"now":1732369255}})" + "\n" +
                    R"({"id":"b","token":"IAAA"})" + "\n");

  CHECK(made.exit == 0);
  CHECK(line_of(made.out, 2).starts_with(R"({"id":2,"error":"invalid_url")"));
  CHECK(line_of(made.out, 3).starts_with(R"({"id":null,"line":3,"error":"parse_error")"));
  CHECK(line_of(made.out, 4).starts_with(R"({"id":3,"error":"unknown_key")"));
  CHECK(read.exit == 1);
  CHECK(line_of(read.out, 1).find(R"("status":"ok","version":2,"kind":"click")") !=
        std::string::npos);
  CHECK(line_of(read.out, 2) == R"({"id":"b","status":"malformed"})");
}

TEST_CASE("mails are changed in place, keep their mode, and stay as they are the second time",
          "[cli]") {
  const Build build;
  const std::string file = build.sandbox.write("mail.html", kMail);
  REQUIRE(::chmod(file.c_str(), 0640) == 0);
  const std::vector<std::string> rewrite{"link", "rewrite", "-w", file, "--campaign", "c"};
  const std::vector<std::string> inject{"pixel", "inject", "-w", file, "--campaign", "c"};

  const Finished links = build.make(rewrite);
  const Finished pixel = build.make(inject);
  const std::string once = build.sandbox.read("mail.html");
  const Finished links_again = build.make(rewrite);
  const Finished pixel_again = build.make(inject);
  struct stat status {};
  REQUIRE(::stat(file.c_str(), &status) == 0);

  CHECK(links.exit == 0);
  CHECK(links.out.empty());
  CHECK(links.err.find("1 links rewritten, 1 skipped") != std::string::npos);
  CHECK(pixel.exit == 0);
  CHECK(once.find(kBase + "/pixel/click/") != std::string::npos);
  CHECK(once.find(R"(display:none;border:0;" /></body>)") != std::string::npos);
  CHECK(links_again.err.find("0 links rewritten, 2 skipped") != std::string::npos);
  CHECK(pixel_again.err.find("has a pixel already") != std::string::npos);
  CHECK(build.sandbox.read("mail.html") == once);
  CHECK((status.st_mode & 07777U) == 0640);
}

TEST_CASE("the Make recipe builds a mail with links and a pixel, octet for octet the same",
          "[cli]") {
  const Build build;
  build.sandbox.write("src/mail.html", kMail);
  build.sandbox.write("build/.keep", "");
  build.sandbox.write(
      "Makefile",
      "build/mail.html: src/mail.html\n"
      "\tedgectl link rewrite $< --campaign summer-sale --base-url https://t.example.com -o - \\\n"
      "\t| edgectl pixel inject - --campaign summer-sale --merge-tag '{{contact.id}}' --base-url "
      "https://t.example.com -o $@\n");
  const auto make = [&] {
    return build.sandbox.run({"make", "-B"},
                             {.env = {{"SOURCE_DATE_EPOCH", kTime},
                                      {"EDGE_PIXEL_KEYS_FILE", build.ring},
                                      {"PATH", edge::test::bin_dir() + ":/usr/bin:/bin"}}});
  };

  const Finished first = make();
  const std::string mail = build.sandbox.read("build/mail.html");
  const Finished second = make();

  CAPTURE(first.err);
  REQUIRE(first.exit == 0);
  CHECK(mail.find("<a href=\"https://t.example.com/pixel/click/I") != std::string::npos);
  CHECK(mail.find("?r={{contact.id}}\" width=\"1\"") != std::string::npos);
  CHECK(mail.find("<a href=\"mailto:a@b.example\">") != std::string::npos);
  CHECK(second.exit == 0);
  CHECK(build.sandbox.read("build/mail.html") == mail);
}

TEST_CASE("pixel keys rotate and retire; retired ones are not recognised", "[cli]") {
  const Sandbox sandbox;
  const auto run = [&](std::vector<std::string> arguments) {
    return sandbox.edgectl(std::move(arguments), {.env = {{"SOURCE_DATE_EPOCH", kTime}}});
  };
  CHECK(run({"key", "rotate", "--kind", "pixel"}).exit == 3);
  REQUIRE(run({"key", "generate", "--kind", "pixel"}).exit == 0);
  const std::string old = run({"pixel", "generate", "--campaign", "c", "--as", "token"}).out;
  const std::string token = old.substr(0, old.size() - 1);

  CHECK(run({"key", "retire", "--kind", "pixel", "1"}).exit == 7);
  CHECK(run({"key", "rotate", "--kind", "pixel", "-n"}).exit == 0);
  CHECK(run({"key", "rotate", "--kind", "pixel"}).out == "2\n");
  CHECK(run({"pixel", "verify", token}).exit == 0);
  CHECK(run({"pixel", "generate", "--campaign", "c", "--json", "--select", "/keyId"}).out == "2\n");
  CHECK(run({"key", "retire", "--kind", "pixel", "1"}).exit == 0);
  CHECK(run({"key", "retire", "--kind", "pixel", "1"}).exit == 5);
  CHECK(run({"key", "retire", "--kind", "pixel", "one"}).exit == 2);
  const Finished gone = run({"pixel", "verify", token, "--json"});
  CHECK(gone.exit == 1);
  CHECK(gone.out.find("unknown_key") != std::string::npos);
  const std::string listed = run({"key", "list", "--kind", "pixel", "--format", "csv"}).out;
  CHECK(listed.find("1,pixel,retired,") != std::string::npos);
  CHECK(listed.find("2,pixel,active,") != std::string::npos);
}

TEST_CASE("later sources of metadata win over earlier ones", "[cli]") {
  const Build build;
  const Finished made = build.make({"pixel",
                                    "generate",
                                    "--campaign",
                                    "c",
                                    "--metadata",
                                    R"({"utm_source":"a","x":1,"y":2})",
                                    "--utm-source",
                                    "b",
                                    "--meta",
                                    "x:=3",
                                    "--json",
                                    "--select",
                                    "/data/metadata"});

  CHECK(made.out == "{\"utm_source\":\"b\",\"x\":3,\"y\":2}\n");
}

TEST_CASE("opt-out lists and reports work on the local store", "[cli]") {
  const Sandbox sandbox;
  const auto run = [&](std::vector<std::string> arguments, const std::string& input = {}) {
    return sandbox.edgectl(std::move(arguments), {.input = input});
  };

  const Finished added =
      run({"optout", "add", "--list", "news", "u-1", "-", "--json"}, "u-2\r\n\nu-1\n");
  const Finished nothing = run({"optout", "add", "-n", "u-9"});
  const Finished listed = run({"optout", "list", "--list", "news", "--format", "csv"});
  const Finished other = run({"optout", "list", "--format", "jsonl"});
  const Finished removed = run({"optout", "remove", "--list", "news", "u-2", "--json"});
  const Finished wrong = run({"optout", "add", "*"});
  const Finished report = run({"analytics", "report", "opens", "--json"});
  const Finished no_report = run({"analytics", "report", "opens", "--since", "yesterday"});
  const Finished unknown = run({"analytics", "report", "smiles"});

  CAPTURE(added.err, listed.err, report.err);
  CHECK(added.out.find(R"("changed": 2)") != std::string::npos);
  CHECK(added.out.find(R"("unchanged": 1)") != std::string::npos);
  CHECK(nothing.err.find("would add 1") != std::string::npos);
  CHECK(line_of(listed.out, 1) == "recipient,since,by");
  CHECK(line_of(listed.out, 2).starts_with("u-1,20"));
  CHECK(line_of(listed.out, 3).ends_with(",command"));
  CHECK(other.out.empty());
  CHECK(removed.out.find(R"("changed": 1)") != std::string::npos);
  CHECK(wrong.exit == 3);
  CHECK(report.exit == 0);
  CHECK(report.out.find(R"("rows": [])") != std::string::npos);
  CHECK(no_report.exit == 2);
  CHECK(unknown.exit == 2);
}

TEST_CASE("a list becomes the same with several threads, and says which row is bad", "[cli]") {
  const Build build;
  std::string list = "id,name\n";
  for (int i = 0; i < 9'000; ++i) {
    list += "u-" + std::to_string(i) + ",\"Name, " + std::to_string(i) + "\"\n";
  }
  const std::vector<std::string> bulk{
      "pixel", "bulk", "--campaign", "summer", "--columns", "pixelUrl,pixelError"};
  const auto with = [&](const std::string& input, std::vector<std::string> more) {
    more.insert(more.begin(), bulk.begin(), bulk.end());
    return build.make(std::move(more), input);
  };

  const Finished one = with(list, {});
  const Finished three = with(list, {"--jobs", "3"});
  const Finished ended = with(list + "\"\x01\",bad\nu-x,good\n", {"--jobs", "2"});
  const Finished skipped =
      with(list + "\"\x01\",bad\nu-x,good\n", {"--jobs", "2", "--on-error", "skip"});
  const Finished none = with(list, {"--jobs", "0"});

  CHECK(one.exit == 0);
  CHECK(three.out == one.out);
  CHECK(line_of(one.out, 9'001).starts_with("u-8999,\"Name, 8999\"," + kBase + "/pixel/track/I"));
  CHECK(ended.exit == 3);
  CHECK(ended.out == one.out);
  CHECK(ended.err.find("row 9002: ") != std::string::npos);
  CHECK(skipped.exit == 8);
  CHECK(skipped.out.size() > one.out.size());
  CHECK(skipped.err.find("row 9002: ") != std::string::npos);
  CHECK(none.exit == 2);
  CHECK(none.err.find("--jobs \"0\" must be 1 to 64") != std::string::npos);
}
