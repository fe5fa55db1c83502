// SPDX-License-Identifier: MIT
#include "tests/cli/output_cases.h"

namespace edge::test {
namespace {

constexpr Prints kProduct = Prints::Product;
constexpr Prints kNothing = Prints::Nothing;
constexpr const char* kOutbound =
    "[outbound]\nallow_http = true\nallow_private = [\"127.0.0.0/8\"]\n";
constexpr const char* kMail =
    "<html><body><a href=\"https://shop.example.com/\">x</a></body></html>";

OutputStory setup() {
  return {.name = "setup",
          .files = {{"body.json", R"({"a":1})"}},
          .steps = {
              {"version"},
              {"help"},
              {"schema", {"decide"}, kProduct},
              {"completion", {"bash"}, kProduct},
              {"config init"},
              {"config path"},
              {"config show"},
              {"config get", {"server.listen"}},
              {"config set", {"store.durability", "normal"}, kNothing},
              {"config validate"},
              {"secret set", {"SHOP"}, kNothing, "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtMTIzNA==\n"},
              {"secret list"},
              {"webhook sign", {"-i", "body.json", "--secret", "SHOP"}, kProduct},
              {"webhook send", {"{URL}", "-i", "body.json", "--secret", "SHOP"}},
              {.command = "webhook verify",
               .arguments = {"-i", "body.json", "--secret", "SHOP", "--header", "webhook-id: 1"},
               .exit = 1},
              {"webhook listen", {"--for", "1ms"}},
              {"secret delete", {"SHOP"}, kNothing},
              {"doctor"},
          }};
}

OutputStory keys() {
  return {.name = "keys and tokens",
          .files = {{"mail.html", kMail}, {"list.csv", "id\nu-1\n"}},
          .steps = {
              {"config init"},
              {"key generate", {"--kind", "ed25519", "-o", "signing.pem"}, kNothing},
              {"key generate", {"--kind", "ed25519"}, kProduct},
              {"key convert", {"signing.pem", "--as", "jwk"}, kProduct},
              {"key public", {"signing.pem"}, kProduct},
              {"key jwks", {"signing.pem"}, kProduct},
              {"key thumbprint", {"signing.pem"}},
              {"key rotate", {"--kind", "pixel"}},
              {"key retire", {"--kind", "pixel", "1"}},
              {"key list"},
              {.command = "token mint", .arguments = {"--sub", "ci"}, .take = {{"T", "/token"}}},
              {"token inspect", {"{T}"}},
              {"token verify", {"{T}"}},
              {.command = "pixel generate",
               .arguments = {"--campaign", "c", "--base-url", "https://t.example.com"},
               .take = {{"PIXEL", "/pixelUrl"}}},
              {"pixel decode", {"{PIXEL}"}},
              {"pixel verify", {"{PIXEL}"}},
              {"pixel inject",
               {"mail.html", "--campaign", "c", "--base-url", "https://t.example.com"},
               kProduct},
              {.command = "pixel bulk",  // writes tables and lines, never one document
               .arguments =
                   {"-i", "list.csv", "--campaign", "c", "--base-url", "https://t.example.com"},
               .prints = kNothing,
               .exit = 2},
              {.command = "link generate",
               .arguments = {"https://shop.example.com/", "--base-url", "https://t.example.com"},
               .take = {{"LINK", "/linkUrl"}}},
              {"link decode", {"{LINK}"}},
              {"link verify", {"{LINK}"}},
              {"link rewrite", {"mail.html", "--base-url", "https://t.example.com"}, kProduct},
              {"link unsubscribe",
               {"--recipient", "u-1", "--list", "n", "--base-url", "https://t.example.com"},
               kProduct},
              {"optout add", {"u-1"}},
              {"optout list"},
              {"optout remove", {"u-1"}},
              {"analytics report", {"opens"}},
          }};
}

OutputStory flags() {
  return {.name = "flags",
          .config = "[flags]\nurl = \"{URL}%s.json\"\n" + std::string(kOutbound),
          .steps = {
              {"decide", {"--all", "-u", "u-1", "--explain", "--datafile", "{FLAGS}"}},
              {"decide", {"-u", "u-1", "--expect", "!vip_offer", "--datafile", "{FLAGS}"}},
              {"flags list", {"--datafile", "{FLAGS}"}},
              {"flags show", {"new_checkout", "--datafile", "{FLAGS}"}},
              {"flags lint", {"{FLAGS}"}},
              {"flags test", {"{EXPECT}", "--datafile", "{FLAGS}"}},
              {"flags simulate", {"new_checkout", "-N", "1000", "--datafile", "{FLAGS}"}},
              {"flags diff", {"{FLAGS}", "{FLAGS}", "--simulate", "100"}},
              {"flags fetch", {"--sdk-key", "key"}, kProduct},
          }};
}

OutputStory events() {
  return {.name = "events and people",
          .config = "[[segments]]\nname = \"pros\"\nwhen = \"plan = pro\"\n",
          .files = {{"events.jsonl", R"({"type":"track","event":"Order","userId":"u-1"})"},
                    {"pros.json", R"({"when":"plan = pro"})"}},
          .steps = {
              {"track", {"Order", "-u", "u-1"}},
              {"identify", {"-u", "u-1", "--trait", "plan=pro"}},
              {"send", {"-i", "events.jsonl"}},
              {"trigger", {"purchase"}},
              {"trigger", {"--list"}},
              {"replay", {"--from", "events.jsonl", "--to", "local", "--rate", "5/s", "-n"}},
              {"replay", {"--from", "events.jsonl", "--to", "local"}},
              {"identify", {"-u", "u-2"}},
              {"profile show", {"u-1"}},
              {"profile find", {"--where", "plan = pro"}},
              {"profile history", {"u-1"}},
              {"profile merge", {"u-2", "u-1", "--yes"}},
              {.command = "events list", .take = {{"ID", "/events/0/messageId"}}},
              {"events show", {"{ID}"}},
              {"events tail", {"--no-follow"}, kProduct},
              {"events wait", {"--since", "-1h"}},
              {"events validate", {"-i", "events.jsonl"}},
              {"profile export", {"u-1", "-o", "u-1.jsonl"}, kNothing},
              {"profile import", {"-i", "u-1.jsonl", "--yes"}},
              {"segment list"},
              {"segment show", {"pros"}},
              {"segment lint", {"pros.json"}},
              {"segment preview", {"pros"}},
              {"segment eval", {"pros", "-u", "u-1"}},
              {"segment explain", {"pros", "-u", "u-1"}},
              {"profile suppress", {"u-9", "--yes"}},
              {"profile unsuppress", {"u-9"}},
              {"profile delete", {"u-1", "--yes"}},
          }};
}

OutputStory destinations() {
  return {.name = "destinations",
          .config = kOutbound,
          .files = {{"event.json", R"({"type":"track","event":"Order","userId":"u-1"})"}},
          .steps = {
              {"destination create", {"good", "--to", "{URL}"}},
              {"destination create", {"bad", "--to", "{URL}bad"}},
              {"destination update", {"good", "--to", "{URL}good"}},
              {"destination preview", {"good", "-i", "event.json"}},
              {"destination test", {"good"}},
              {"track", {"Order", "-u", "u-1"}},
              {"destination list"},
              {"destination show", {"good"}},
              {"destination stats"},
              {.command = "dlq list", .take = {{"ID", "/items/0/id"}}},
              {"dlq show", {"{ID}"}},
              {"dlq export", {}, kProduct},
              {.command = "dlq retry", .arguments = {"{ID}"}, .take = {}},
              {.command = "dlq list", .take = {{"ID", "/items/0/id"}}},
              {"dlq discard", {"{ID}"}, kNothing},
              {"dlq purge", {"bad", "--yes"}, kNothing},
              {"destination pause", {"good"}},
              {"destination resume", {"good"}},
              {"destination disable", {"good"}},
              {"destination enable", {"good"}},
              {"destination delete", {"bad", "--yes"}, kNothing},
          }};
}

OutputStory accounts() {
  return {.name = "accounts and a daemon",
          .files = {{"password", "correct horse battery"}},
          .steps = {
              {"user create",
               {"--email", "a@example.com", "--role", "admin", "--password-file", "password"}},
              {"user list"},
              {"user show", {"a@example.com"}},
              {"user update", {"a@example.com", "--name", "Ada"}},
              {.command = "apikey create",
               .arguments = {"--name", "ci", "--scope", "track:write"},
               .take = {{"ID", "/id"}}},
              {"apikey list"},
              {.command = "apikey rotate", .arguments = {"{ID}"}, .take = {{"ID", "/id"}}},
              {"apikey revoke", {"{ID}"}, kNothing},
              {"limit list"},
              {"limit show", {"api", "203.0.113.7"}},
              {"limit reset", {"api", "203.0.113.7"}, kNothing},
              {"kv put", {"greeting", "hello"}, kNothing},
              {"kv get", {"greeting"}, kProduct},
              {"kv list"},
              {"kv export", {}, kProduct},
              {"kv import", {}, Prints::Document, "{\"key\":\"a\",\"value\":\"1\"}"},
              {"kv delete", {"greeting"}, kNothing},
              {.command = "up", .arguments = {"--port", "0"}, .take = {{"DAEMON", "/url"}}},
              {"status"},
              {"logs", {}, kProduct},
              {"auth login",
               {"--url", "{DAEMON}", "--email", "a@example.com", "--password-file", "password"}},
              {"auth status", {"--url", "{DAEMON}"}},
              {"auth logout", {"--url", "{DAEMON}"}, kNothing},
              {"down", {}, kNothing},
              {"user disable", {"a@example.com"}},
              {"user delete", {"a@example.com", "--yes"}, kNothing},
          }};
}

OutputStory platform() {
  return {.name = "queues and state",
          .steps = {
              {"queue send", {"orders", R"({"id":7})", "--create"}, kNothing},
              {"queue list"},
              {"queue show", {"orders"}},
              {"queue peek", {"orders"}},
              {"queue pause", {"orders"}, kNothing},
              {"queue resume", {"orders"}, kNothing},
              {"queue purge", {"orders", "--yes"}, kNothing},
              {"state put", {"shop", "open", "true"}},
              {"state get", {"shop", "open"}, kProduct},
              {"state show", {"shop", "open"}},
              {"state list", {"shop"}},
              {"state delete", {"shop", "open"}, kNothing},
          }};
}

}  // namespace

std::vector<OutputStory> output_stories() {
  return {setup(), keys(), flags(), events(), destinations(), accounts(), platform()};
}

}  // namespace edge::test
