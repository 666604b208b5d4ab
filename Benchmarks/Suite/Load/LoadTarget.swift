// SPDX-License-Identifier: Apache-2.0

import Reactor
import TLS

/// Where requests go, and how.
struct LoadTarget {
    let address: SocketAddress
    /// `nil` for plaintext.
    let tls: TLSClientContext?
}
