// SPDX-License-Identifier: Apache-2.0

import Bytes
import TestSupport
import Testing

/// The fast scans against loops that look at one byte at a time, at every length, offset and
/// alignment that the eight-byte steps distinguish.
@Suite struct ScanTests {
    /// Fillers that tempt a subtraction to borrow: one above and below what is looked for, the
    /// ends of the range, and what differs in the high bit alone.
    private static let fillers: [UInt8] = [
        0x00, 0x01, 0x09, 0x0A, 0x0B, 0x1F, 0x20, 0x21, 0x22, 0x23, 0x5B, 0x5C, 0x5D, 0x61,
        0x7E, 0x7F, 0x80, 0x81, 0x8A, 0x9F, 0xA0, 0xA2, 0xDC, 0xFF,
    ]

    private func naiveControl(_ bytes: [UInt8], from start: Int) -> Int {
        bytes[start...].firstIndex { $0 < 0x20 || $0 == 0x7F } ?? bytes.count
    }

    private func naiveEscape(_ bytes: [UInt8], from start: Int) -> Int {
        bytes[start...].firstIndex {
            $0 < 0x20 || $0 >= 0x7F || $0 == 0x22 || $0 == 0x5C
        } ?? bytes.count
    }

    /// Thousands of comparisons a case: only a failure is recorded, since recording costs more.
    private func check(_ bytes: [UInt8], needles: [UInt8]) {
        for start in 0...bytes.count {
            for needle in needles
            where bytes.span.firstOffset(of: needle, from: start)
                != bytes[start...].firstIndex(of: needle)
            {
                Issue.record("offset of \(needle) from \(start) in \(bytes)")
            }
            if bytes.span.firstOffsetOfControl(from: start) != naiveControl(bytes, from: start) {
                Issue.record("control from \(start) in \(bytes)")
            }
            if bytes.span.firstOffsetToEscape(from: start) != naiveEscape(bytes, from: start) {
                Issue.record("to escape from \(start) in \(bytes)")
            }
        }
    }

    @Test(arguments: fillers) func oneByteAmongOthers(filler: UInt8) {
        for length in 0...20 {
            var bytes = [UInt8](repeating: filler, count: length)
            check(bytes, needles: [0x0A, filler])
            for place in 0..<length {
                for needle in [0x0A, 0x00, 0x7F, 0x80, filler ^ 1, filler ^ 0x80] as [UInt8] {
                    bytes[place] = needle
                    check(bytes, needles: [needle])
                    bytes[place] = filler
                }
            }
        }
    }

    @Test func everyByteValue() {
        for value in 0...255 as ClosedRange<UInt8> {
            for place in 0..<9 {
                var bytes = [UInt8](repeating: UInt8(ascii: "a"), count: 9)
                bytes[place] = value
                check(bytes, needles: [value])
            }
        }
    }

    @Test(arguments: 0..<20 as Range<UInt64>) func randomBytes(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for _ in 0..<20 {
            let length = Int.random(in: 0...70, using: &random)
            let bytes = (0..<length).map { _ in
                Self.fillers.randomElement(using: &random) ?? 0
            }
            check(bytes, needles: [0x0A, 0x00, 0x80, 0xFF])
        }
    }

    /// Against the standard library's own decoder, which repairs what is malformed.
    @Test func utf8SequencesOfOneToThreeBytes() {
        let seconds: [UInt8] = [0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF]
        for first in 0...255 as ClosedRange<UInt8> {
            #expect([first].span.utf8SequenceLength(at: 0) == (first < 0x80 ? 1 : nil))
            for second in seconds {
                for third in seconds {
                    for fourth in seconds {
                        checkSequence([first, second, third, fourth])
                    }
                    checkSequence([first, second, third])
                }
                checkSequence([first, second])
            }
        }
    }

    private func checkSequence(_ bytes: [UInt8]) {
        let length = bytes.span.utf8SequenceLength(at: 0)
        let expected = (1...bytes.count).first { count in
            let prefix = Array(bytes[..<count])
            guard let text = String(validating: prefix, as: UTF8.self) else { return false }
            return text.unicodeScalars.count == 1
        }
        if length != expected { Issue.record("\(bytes): \(length ?? 0)") }
    }
}
