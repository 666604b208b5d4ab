// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import Identity

/// What is known of a request while it goes through the chain: each filter reads what those
/// before it found out, and adds its own.
package struct RequestFacts {
    /// Monotonic nanoseconds of this turn.
    package var now: UInt64 = 0
    /// Seconds since 1970.
    package var wallSeconds: UInt64 = 0
    /// Milliseconds since 1970 by a clock that never steps: the ends of sessions.
    package var steadyMilliseconds: UInt64 = 0
    package var moment: Moment { Moment(wall: wallSeconds * 1000, steady: steadyMilliseconds) }
    package var client = IPAddress(bits: 0)
    /// SHA-256 of the SubjectPublicKeyInfo of the certificate that the client has proven to be
    /// its own; `nil` without one, or once it is out of date.
    package var clientPin: SHA256Digest?
    package var upstream = 0
    package var isPublic = false

    // MARK: From `identity`

    /// -1 until a first factor has passed.
    package var agent = -1
    package var firstFactor = FirstFactor.password
    /// The access token that stood for a key.
    package var token: VerifiedToken?
    /// Names the rules by which it was believed; 0 without one.
    package var tokenRules = 0
    /// Until when keys to verify a token with are waited for, in milliseconds since 1970; 0 while
    /// nobody waits.
    var keysAwaitedUntil: UInt64 = 0
    /// What names the first factor: SHA-256 of the API key, the public key of a certificate, or
    /// the access token.
    package var credential = SHA256Digest(0, 0, 0, 0)
    package var code = SentCode.none
    /// Where the session's token lies in the head; empty without one.
    package var session: Range<Int> = 0..<0

    // MARK: From `totp`

    /// The record of accepted steps of the seed whose code was right.
    package var seedRecord = -1
    /// The session that stood for a code.
    package var openSession: SessionFacts?
    /// The session that this request's code has opened.
    package var grant: SessionGrant?
    /// When the code was given, in milliseconds since 1970.
    package var authenticatedAt: UInt64 = 0

    // MARK: Of a refusal

    package var retryAfterSeconds = 0
    package var quota: Quota?

    // MARK: Of filters that only watch

    /// What the filter that runs would have refused with.
    var overlooked: Problem?
    /// The last that a filter would have refused with.
    package var shadow: Shadow?

    package init() {}
}

/// What was used up, for `RateLimit` and `RateLimit-Policy`.
package struct Quota: Equatable {
    package let requests: Int
    package let windowSeconds: Int

    init(_ limit: RateLimit) {
        requests = limit.requests
        windowSeconds = Int((limit.periodNanoseconds + 999_999_999) / 1_000_000_000)
    }

    /// So many guesses, and none for so long.
    init(guesses: Int, lockoutMilliseconds: Int) {
        requests = guesses
        windowSeconds = max(1, lockoutMilliseconds / 1000)
    }
}

/// What a filter in shadow would have done.
package struct Shadow: Equatable {
    /// In the chain.
    package let position: Int
    package let problem: Problem
}

/// A one-time code as it was sent, in whatever form.
package struct SentCode {
    private var digits = InlineArray<8, UInt8>(repeating: 0)
    /// Bytes sent, 9 standing for all beyond 8; -1 where none was sent.
    private var count = -1

    package static let none = SentCode()

    private init() {}

    package init(_ text: Span<UInt8>) {
        count = min(text.count, 9)
        for index in 0..<min(count, 8) { digits[index] = text[index] }
    }

    package var isSent: Bool { count >= 0 }

    /// The digits; empty where the length alone shows that it is no code.
    package var text: Span<UInt8> {
        @_lifetime(borrow self)
        get { digits.span.extracting(0..<(count > 8 ? 0 : max(count, 0))) }
    }
}
