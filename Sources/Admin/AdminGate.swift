// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto

/// Who may call: pages in an operator's browser never, others by the admin token, and whoever
/// guesses at it not for long.
struct AdminGate {
    static let wrongTokensMax = 10
    static let windowMilliseconds: UInt64 = 60_000
    /// Callers whose wrong tokens are counted; beyond them the one heard of longest ago is
    /// forgotten.
    static let callersMax = 1024

    private struct Caller {
        /// When it was wrong, in monotonic milliseconds, the oldest first; `wrongTokensMax` at
        /// most.
        var times: [UInt64] = []
    }

    /// Whether this listener may be called by a host name, in lower case.
    private let isOurs: (String) -> Bool
    private var callers: [String: Caller] = [:]

    init(isOurs: @escaping (String) -> Bool) {
        self.isOurs = isOurs
    }

    /// A page in an operator's browser must reach nothing here, under whatever name its resolver
    /// gives our address (DNS rebinding).
    func isOwn(host: String?, origin: String?) -> Bool {
        guard origin == nil else { return false }
        guard let host else { return true }
        let name = host.hasPrefix("[") ? host.prefix { $0 != "]" } + "]" : host.prefix { $0 != ":" }
        return isOurs(name.lowercased())
    }

    /// - Parameters:
    ///   - token: SHA-256 of the right one; `nil` where there is none.
    ///   - now: monotonic milliseconds.
    /// - Returns: what to refuse with, and seconds for `Retry-After`.
    mutating func judge(
        _ authorization: String?, token: SHA256Digest?, client: String, now: UInt64
    ) -> (AdminProblem, retryAfter: Int)? {
        guard let token else { return (.noToken, 0) }
        guard let authorization else { return (.tokenMissing, 0) }
        callers[client]?.times.removeAll { $0 + Self.windowMilliseconds <= now }
        let times = callers[client]?.times ?? []
        // Not even a right one: else a token could be guessed at any speed.
        if times.count >= Self.wrongTokensMax {
            let wait = times[0] + Self.windowMilliseconds - now
            return (.tooManyTokens, Int(wait / 1000) + 1)
        }
        if let sent = Self.digest(ofBearer: authorization), sent.matches(token) { return nil }
        note(client, now)
        return (.tokenWrong, 0)
    }

    /// Whether ``judge(_:token:client:now:)`` would let it in, which this does not count.
    func isRight(
        _ authorization: String?, token: SHA256Digest?, client: String, now: UInt64
    ) -> Bool {
        guard let token, let authorization else { return false }
        let wrong = callers[client]?.times.count { $0 + Self.windowMilliseconds > now } ?? 0
        guard wrong < Self.wrongTokensMax else { return false }
        return Self.digest(ofBearer: authorization)?.matches(token) == true
    }

    private mutating func note(_ client: String, _ now: UInt64) {
        if callers[client] == nil, callers.count >= Self.callersMax {
            let oldest = callers.min { ($0.value.times.last ?? 0) < ($1.value.times.last ?? 0) }
            if let oldest { callers[oldest.key] = nil }
        }
        callers[client, default: Caller()].times.append(now)
    }

    private static func digest(ofBearer authorization: String) -> SHA256Digest? {
        let bytes = Array(authorization.utf8)
        let scheme = "bearer "
        guard bytes.count > scheme.utf8.count,
            zip(bytes, scheme.utf8).allSatisfy({ $0.lowercased == $1 })
        else { return nil }
        let token = bytes.drop { $0 != .space }.drop { $0 == .space }
        do {
            var hasher = try Hasher256()
            return hasher.digest(Array(token).span)
        } catch {
            return nil
        }
    }
}
