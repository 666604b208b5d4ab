// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// The version line of the library that is loaded, such as `OpenSSL 3.0.19 27 Jan 2026`.
package func openSSLVersion() -> String {
    // SAFETY: the library returns a static, terminated string for this selector.
    guard let text = unsafe OpenSSL_version(OPENSSL_VERSION) else { return "OpenSSL" }
    return unsafe String(cString: text)
}
