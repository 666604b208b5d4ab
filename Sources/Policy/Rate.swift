// SPDX-License-Identifier: Apache-2.0

/// How many requests may come in a period, and how many at once after a quiet time.
package struct Rate: Sendable, Equatable {
    package static let requestsMax = 10_000_000
    package static let periodRange = 100...86_400_000

    package var requests: Int
    package var periodMilliseconds: Int
    package var burst: Int

    package init(requests: Int, periodMilliseconds: Int, burst: Int) {
        self.requests = requests
        self.periodMilliseconds = periodMilliseconds
        self.burst = burst
    }

    /// The default for addresses and agents alike.
    package static let standard = Rate(requests: 1000, periodMilliseconds: 1000, burst: 2000)

    /// `1000/1s`; the burst is twice the requests.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let requests = Int(parts[0]), (1...Self.requestsMax).contains(requests),
            let period = DurationText.parse(String(parts[1])), Self.periodRange.contains(period)
        else { return nil }
        self.init(requests: requests, periodMilliseconds: period, burst: 2 * requests)
    }
}

extension Rate: CustomStringConvertible {
    package var description: String {
        "\(requests)/\(DurationText.text(periodMilliseconds)), burst \(burst)"
    }
}
