// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace edge::pixels {

/// The rules of identity spec 1.11 in the form of a rule file.
inline constexpr std::string_view kDefaultRules =
    R"({"rules":[)"
    R"({"id":"head","when":{"method":"HEAD"},"class":"scanner"},)"
    R"({"id":"prefetch-header","when":{"header_contains":{"sec-purpose":"prefetch",)"
    R"("purpose":"prefetch","x-purpose":"preview","x-moz":"prefetch"}},"class":"prefetch"},)"
    R"({"id":"self","when":{"ip_list":"self"},"class":"self"},)"
    R"({"id":"apple-mpp","when":{"ua_equals":"Mozilla/5.0"},"class":"prefetch"},)"
    R"({"id":"gmail-prefetch",)"
    R"("when":{"ua_equals":"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML)"
    R"(, like Gecko) Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0"},)"
    R"("class":"prefetch"},)"
    R"({"id":"gmail-proxy","when":{"ua_contains":["GoogleImageProxy"]},"class":"proxy"},)"
    R"({"id":"yahoo-proxy","when":{"ua_contains":["YahooMailProxy"]},"class":"proxy"},)"
    R"({"id":"no-ua","when":{"ua_equals":""},"class":"scanner"},)"
    R"({"id":"gateway","when":{"ua_contains_ci":["barracuda","proofpoint","mimecast",)"
    R"("symantec","fireeye","trendmicro","fortimail","ciscosecureemail","safelinks"]},)"
    R"("class":"scanner"},)"
    R"({"id":"crawler","when":{"ua_contains_ci":["bot","crawler","spider","slurp",)"
    R"("facebookexternalhit","embedly","linkpreview","headlesschrome","phantomjs"]},)"
    R"("class":"bot"},)"
    R"({"id":"http-library","when":{"ua_prefix_ci":["curl/","wget/","python-requests",)"
    R"("python-urllib","go-http-client","java/","okhttp","axios","node-fetch","node","undici",)"
    R"("libwww-perl","apache-httpclient","postmanruntime","ruby"]},"class":"bot"},)"
    R"({"id":"ip-list","when":{"ip_list":"prefetch|proxy|scanner"},"class":"<the list>"},)"
    R"({"id":"too-fast","when":{"seconds_since_sent_below":"min_human_seconds"},)"
    R"("class":"prefetch"},)"
    R"({"id":"default","when":{},"class":"human"})"
    R"(]})";

}  // namespace edge::pixels
