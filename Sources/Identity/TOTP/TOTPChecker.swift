// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto

/// A seed with its keyed context. It would be private to the checker, but the compiler cannot
/// lay out a table of a private noncopyable type from another module.
package struct KeyedSeed: ~Copyable {
    let parameters: TOTPParameters
    var key: HMACKey
}

/// Checks codes against the seeds of one configuration; one a worker, since it holds a keyed
/// HMAC context for each seed.
package struct TOTPChecker: ~Copyable {
    /// The widest window that may be asked for, on either side of now.
    package static let skewMax = 10

    /// Invariant: seed number n of `init` lies in slot n.
    private var seeds: SlotTable<KeyedSeed>

    package init(seeds list: [TOTPSeed]) throws(IdentityError) {
        seeds = SlotTable(kind: 0, capacity: max(1, list.count))
        for (number, seed) in list.enumerated() {
            do throws(CryptoError) {
                let key = try HMACKey(seed.parameters.algorithm, key: seed.secret.span)
                let slot = seeds.insert(KeyedSeed(parameters: seed.parameters, key: key))
                precondition(slot == number)
            } catch {
                throw .cryptography
            }
        }
    }

    package var count: Int { seeds.count }

    package func parameters(of seed: Int) -> TOTPParameters {
        precondition(seeds.isOccupied(seed))
        return seeds[seed].parameters
    }

    /// The step whose code this is, or `nil`.
    ///
    /// All windows are computed and compared, whichever matches, so time tells nothing. Where a
    /// code is right for two steps at once, the later counts: taken for the earlier it could be
    /// used once more.
    ///
    /// - Parameters:
    ///   - seed: the seed's number in the list that the checker was made with.
    ///   - code: digits; anything of another form matches nothing.
    ///   - now: the present step.
    ///   - skew: steps before and after `now` that count too.
    package mutating func match(
        seed: Int, code: Span<UInt8>, step now: UInt64, skew: Int
    ) -> UInt64? {
        precondition(seeds.isOccupied(seed))
        let parameters = seeds[seed].parameters
        guard parameters.isWellFormed(code) else { return nil }
        // Eight digits fit; one value has one spelling, since the number of digits is fixed.
        var given: UInt32 = 0
        for index in code.indices { given = given &* 10 &+ UInt32(code[index] &- 0x30) }
        let width = UInt64(min(max(0, skew), Self.skewMax))
        let first = now >= width ? now - width : 0
        let last = now <= UInt64.max - width ? now + width : UInt64.max
        var found: UInt64 = 0
        var step: UInt64 = 0
        for candidate in first...last {
            let expected = parameters.code(step: candidate, under: &seeds[seed].key)
            // All ones where the two are equal, all zeros otherwise, without a branch.
            let difference = UInt64(expected ^ given)
            let equal = 0 &- ((difference &- 1) >> 63)
            step = (step & ~equal) | (candidate & equal)
            found |= equal
        }
        return found == 0 ? nil : step
    }
}
