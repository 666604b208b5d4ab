// SPDX-License-Identifier: Apache-2.0

/// Lets so many audit lines a second through of callers that have proven nothing, and counts the
/// rest: whoever can reach the listener must not fill the log.
struct StrangerLines {
    private static let perSecond = 10

    private var second: UInt64 = 0
    private var told = 0
    private var untold = 0

    /// - Parameter now: monotonic milliseconds.
    mutating func mayTell(at now: UInt64) -> Bool {
        if now / 1000 != second {
            second = now / 1000
            told = 0
        }
        guard told < Self.perSecond else {
            untold += 1
            return false
        }
        told += 1
        return true
    }

    /// How many were not told since this was asked last.
    mutating func takeUntold() -> Int {
        defer { untold = 0 }
        return untold
    }
}
