// SPDX-License-Identifier: Apache-2.0

import Bytes

/// Writes times as RFC 3339 in UTC with microseconds: `2026-06-01T12:00:00.000000Z`.
///
/// The part down to the second is kept, since the next line most likely needs the same.
struct Timestamp {
    private var second = UInt64.max
    private var text = InlineArray<27, UInt8>(repeating: 0)

    init() {}

    /// - Parameter nanoseconds: since the epoch.
    mutating func write<Sink: TextSink & ~Copyable>(
        _ nanoseconds: UInt64, into sink: inout Sink
    ) {
        let second = nanoseconds / 1_000_000_000
        if second != self.second { format(second) }
        put(nanoseconds % 1_000_000_000 / 1000, at: 20, width: 6)
        sink.append(text.span)
    }

    private mutating func format(_ second: UInt64) {
        self.second = second
        let (year, month, day) = CivilDate.of(day: second / 86_400)
        put(year, at: 0, width: 4)
        text[4] = UInt8(ascii: "-")
        put(month, at: 5, width: 2)
        text[7] = UInt8(ascii: "-")
        put(day, at: 8, width: 2)
        text[10] = UInt8(ascii: "T")
        put(second / 3600 % 24, at: 11, width: 2)
        text[13] = .colon
        put(second / 60 % 60, at: 14, width: 2)
        text[16] = .colon
        put(second % 60, at: 17, width: 2)
        text[19] = UInt8(ascii: ".")
        text[26] = UInt8(ascii: "Z")
    }

    private mutating func put(_ value: UInt64, at offset: Int, width: Int) {
        var rest = value
        var index = offset + width
        while index > offset {
            index -= 1
            text[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
    }
}
