// SPDX-License-Identifier: Apache-2.0

import Crypto

/// A signed token that requests of one session share.
struct CachedToken {
    let audience: Int
    /// What else the token depends on: see `SessionTable.storeToken`.
    let epoch: UInt64
    /// From here on less than half of the token's life is left.
    let refreshMilliseconds: UInt64
    let bytes: [UInt8]
}

/// One session in its shard. Links are slots of the same shard, -1 for none.
struct SessionRecord {
    /// At most; one for each upstream that the session calls.
    static let tokensMax = 4

    /// 0 while free.
    var generation: UInt64 = 0
    var digest = SHA256Digest(0, 0, 0, 0)
    var agent = 0
    var credential = SHA256Digest(0, 0, 0, 0)
    /// As in ``SessionBinding``.
    var seed: Int32 = 0
    var issuer: Int32 = 0
    var address: ClientAddress?
    var sid = PublicID(repeating: 0)
    var authTime: UInt64 = 0
    var expires: UInt64 = 0
    var tokens: [CachedToken] = []
    /// In the chain of its bucket; of free records, in the free list.
    var nextInBucket: Int32 = -1
    /// In its agent's chain, in the order of issue.
    var older: Int32 = -1
    var newer: Int32 = -1
}
