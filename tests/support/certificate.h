// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace edge::test {

/// A self-signed certificate and its key, in PEM form; made anew each time.
struct TestCertificate {
  std::string certificate = {};
  std::string key = {};
};

/// For `localhost` and 127.0.0.1, good for a day. `serial` tells two of them apart.
TestCertificate make_certificate(long serial = 1);

/// Writes both below a directory (the key with mode 0600) as `NAME.crt` and `NAME.key`.
void write_certificate(const std::string& directory,
                       const std::string& name,
                       const TestCertificate& pair);

}  // namespace edge::test
