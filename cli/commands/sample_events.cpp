// SPDX-License-Identifier: MIT
#include "cli/commands/sample_events.h"

#include <fmt/format.h>

#include "core/json/writer.h"

namespace edge::cli {
namespace {

struct Product {
  const char* id;
  const char* name;
  const char* category;
  std::uint64_t cents;
};
constexpr std::array<Product, 5> kProducts{{{"sku-1001", "Field Notebook", "paper", 1'290},
                                            {"sku-1002", "Brass Pen", "pens", 3'990},
                                            {"sku-1003", "Desk Lamp", "light", 8'900},
                                            {"sku-1004", "Wool Blanket", "home", 12'900},
                                            {"sku-1005", "Coffee Grinder", "kitchen", 5'450}}};
constexpr std::array<const char*, 3> kPlans{"free", "pro", "enterprise"};
constexpr std::array<const char*, 4> kCountries{"DE", "FR", "GB", "US"};
constexpr std::array<const char*, 4> kSearches{"pen", "lamp", "gift", "blanket"};
constexpr std::array<const char*, 3> kButtons{"start-trial", "see-pricing", "contact"};
constexpr std::array<const char*, 4> kPages{"/", "/pricing", "/products", "/about"};
constexpr std::uint64_t kMostOfOne = 3;
constexpr std::uint64_t kCampaigns = 3;
constexpr std::uint64_t kOrders = 900'000;

template <typename List>
const auto& drawn(const List& list, Random& random) {
  return list.at(random.below(list.size()));
}

/// `39.90`: money is whole cents.
std::string money(std::uint64_t cents) {
  return fmt::format("{}.{:02}", cents / 100, cents % 100);
}

/// An open event with its type and who it is of.
json::Writer begun(std::string_view type, std::uint64_t visitor) {
  json::Writer out;
  out.begin_object().member("type", type);
  out.member("userId", fmt::format("sample-user-{}", visitor));
  out.member("anonymousId", fmt::format("sample-visitor-{}", visitor));
  return out;
}

/// An open track event with open properties.
json::Writer tracked(std::string_view event, std::uint64_t visitor) {
  json::Writer out = begun("track", visitor);
  out.member("event", event).key("properties").begin_object();
  return out;
}

std::string closed(json::Writer& out) {
  return out.end_object().end_object().take();
}

void write_product(json::Writer& out, const Product& product, std::uint64_t quantity) {
  out.member("product_id", product.id).member("name", product.name);
  out.member("category", product.category).key("price").raw(money(product.cents));
  out.member("quantity", quantity);
}

std::string alias(Random& /*random*/, std::uint64_t visitor) {
  json::Writer out;
  out.begin_object().member("type", "alias");
  out.member("previousId", fmt::format("sample-visitor-{}", visitor));
  return out.member("userId", fmt::format("sample-user-{}", visitor)).end_object().take();
}

std::string button_click(Random& random, std::uint64_t visitor) {
  json::Writer out = tracked("Button Clicked", visitor);
  out.member("button", drawn(kButtons, random));
  return closed(out);
}

std::string cart(Random& random, std::uint64_t visitor) {
  json::Writer out = tracked("Product Added", visitor);
  const Product& product = drawn(kProducts, random);
  write_product(out, product, 1 + random.below(kMostOfOne));
  return closed(out);
}

std::string email_open(Random& random, std::uint64_t visitor) {
  json::Writer out = tracked("Email Opened", visitor);
  out.member("campaignId", fmt::format("sample-campaign-{}", 1 + random.below(kCampaigns)));
  out.member("emailId", "sample-mail")
      .member("recipientId", fmt::format("sample-user-{}", visitor));
  return closed(out);
}

std::string form_submit(Random& random, std::uint64_t visitor) {
  json::Writer out = tracked("Form Submitted", visitor);
  out.member("formId", "contact");
  out.member("formType", random.below(2) == 0 ? "demo_request" : "newsletter");
  return closed(out);
}

std::string group(Random& random, std::uint64_t visitor) {
  json::Writer out = begun("group", visitor);
  out.member("groupId", fmt::format("sample-company-{}", 1 + visitor % 10));
  out.key("traits").begin_object().member("plan", drawn(kPlans, random));
  return closed(out);
}

std::string identify(Random& random, std::uint64_t visitor) {
  json::Writer out = begun("identify", visitor);
  out.key("traits").begin_object();
  out.member("email", fmt::format("sample-user-{}@example.com", visitor));
  out.member("plan", drawn(kPlans, random)).member("country", drawn(kCountries, random));
  return closed(out);
}

std::string page_view(Random& random, std::uint64_t visitor) {
  json::Writer out = begun("page", visitor);
  const char* path = drawn(kPages, random);
  out.key("properties").begin_object().member("path", path);
  out.member("url", fmt::format("https://shop.example.com{}", path));
  return closed(out);
}

std::string product_view(Random& random, std::uint64_t visitor) {
  json::Writer out = tracked("Product Viewed", visitor);
  write_product(out, drawn(kProducts, random), 1);
  return closed(out);
}

std::string purchase(Random& random, std::uint64_t visitor) {
  json::Writer out = tracked("Order Completed", visitor);
  out.member("order_id", fmt::format("sample-{}", 100'000 + random.below(kOrders)));
  const Product& product = drawn(kProducts, random);
  const std::uint64_t quantity = 1 + random.below(kMostOfOne);
  out.key("revenue").raw(money(product.cents * quantity)).member("currency", "EUR");
  out.key("products").begin_array().begin_object();
  write_product(out, product, quantity);
  out.end_object().end_array();
  return closed(out);
}

std::string refund(Random& random, std::uint64_t visitor) {
  json::Writer out = tracked("Order Refunded", visitor);
  out.member("order_id", fmt::format("sample-{}", 100'000 + random.below(kOrders)));
  out.key("total").raw(money(drawn(kProducts, random).cents)).member("currency", "EUR");
  return closed(out);
}

std::string screen_view(Random& random, std::uint64_t visitor) {
  json::Writer out = begun("screen", visitor);
  out.member("name", random.below(2) == 0 ? "Home" : "Cart").key("properties").begin_object();
  return closed(out);
}

std::string search(Random& random, std::uint64_t visitor) {
  json::Writer out = tracked("Products Searched", visitor);
  out.member("query", drawn(kSearches, random));
  return closed(out);
}

std::string signup(Random& random, std::uint64_t visitor) {
  json::Writer out = tracked("Signed Up", visitor);
  out.member("plan", drawn(kPlans, random));
  return closed(out);
}

}  // namespace

const std::array<Fixture, 14>& fixtures() {
  static constexpr std::array<Fixture, 14> kFixtures{
      {{"alias", "a visitor turns out to be a user", alias},
       {"button_click", "track Button Clicked", button_click},
       {"cart", "track Product Added", cart},
       {"email_open", "track Email Opened", email_open},
       {"form_submit", "track Form Submitted", form_submit},
       {"group", "a user belongs to a company", group},
       {"identify", "e-mail, plan and country of a user", identify},
       {"page_view", "a page of a shop", page_view},
       {"product_view", "track Product Viewed", product_view},
       {"purchase", "track Order Completed, with revenue and products", purchase},
       {"refund", "track Order Refunded", refund},
       {"screen_view", "a screen of an app", screen_view},
       {"search", "track Products Searched", search},
       {"signup", "track Signed Up", signup}}};
  return kFixtures;
}

}  // namespace edge::cli
