// SPDX-License-Identifier: Apache-2.0

/// All that was measured, by test, row and quantity.
struct Findings {
    /// The row of requests that go straight to the upstream.
    static let direct = "direct"

    private struct Place: Hashable {
        let test: PeerTest
        let row: String
        let quantity: Quantity
    }

    private var series: [Place: Series] = [:]

    mutating func add(
        _ value: Double, _ test: PeerTest, _ row: String, _ quantity: Quantity, repetition: Int
    ) {
        series[Place(test: test, row: row, quantity: quantity), default: Series()][
            repetition: repetition] =
            value
    }

    func callAsFunction(_ test: PeerTest, _ row: String, _ quantity: Quantity) -> Series {
        series[Place(test: test, row: row, quantity: quantity)] ?? Series()
    }

    /// Processor time as a multiple of another row's.
    func ratio(_ test: PeerTest, _ row: String, to other: String) -> Series {
        self(test, row, .cpu).divided(by: self(test, other, .cpu))
    }

    /// Latency beyond that of requests without any proxy, in microseconds.
    func added(_ row: String, _ quantity: Quantity) -> Series {
        self(.rate, row, quantity).minus(self(.rate, Self.direct, quantity))
    }

    func hasRow(_ test: PeerTest, _ row: String) -> Bool {
        Quantity.allCases.contains { !self(test, row, $0).isEmpty }
    }
}
