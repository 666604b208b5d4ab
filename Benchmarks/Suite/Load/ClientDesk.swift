// SPDX-License-Identifier: Apache-2.0

import Bytes
import HTTP1
import TLS

/// What all connections of one generator share, since it drives one at a time.
struct ClientDesk: ~Copyable {
    /// A connection that waits for nothing holds no slab; one in flight holds three at most.
    private static let slabsMax = 4096

    var pool = SlabPool(bound: slabsMax)
    let pump: TLSPump
    var head = ResponseHead()
    /// The text of the last answer's head, where it is asked for.
    var headText = ""
    let keepsHeadText: Bool

    init(keepsHeadText: Bool) throws(TLSFault) {
        pump = try TLSPump()
        self.keepsHeadText = keepsHeadText
    }
}
