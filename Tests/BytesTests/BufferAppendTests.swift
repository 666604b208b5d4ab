// SPDX-License-Identifier: Apache-2.0

import Bytes
import Testing

@Suite struct BufferAppendTests {
    private static let numbers: [UInt] = {
        var numbers: [UInt] = [0, .max]
        var power: UInt = 1
        while power <= .max / 10 {
            numbers += [power - 1, power, power + 1]
            power *= 10
        }
        for shift in 0..<64 { numbers += [1 << UInt(shift), (1 << UInt(shift)) - 1] }
        return numbers
    }()

    @Test func decimalsAgreeWithTheStandardLibrary() {
        for number in Self.numbers {
            withBuffer { buffer in
                buffer.append(decimal: number)
                let text = buffer.readable.string
                #expect(text == String(number))
                buffer.clear()
                let signed = Int(bitPattern: number)
                buffer.append(decimal: signed)
                let signedText = buffer.readable.string
                #expect(signedText == String(signed))
            }
        }
    }

    @Test func hexadecimalsAgreeWithTheStandardLibrary() {
        for number in Self.numbers {
            withBuffer { buffer in
                buffer.append(hexadecimal: number)
                let text = buffer.readable.string
                #expect(text == String(number, radix: 16))
            }
        }
    }

    @Test(
        arguments: [
            (7, 1, "7"), (7, 3, "007"), (1234, 4, "1234"), (1234, 2, "34"), (0, 2, "00"),
            (5, 0, ""),
        ] as [(UInt, Int, String)])
    func fixedWidth(number: UInt, width: Int, expected: String) {
        withBuffer { buffer in
            buffer.append(decimal: number, width: width)
            let text = buffer.readable.string
            #expect(text == expected)
        }
    }

    @Test func textsBytesAndCodes() {
        withBuffer { buffer in
            buffer.append("static ")
            buffer.append(text: "größer ")
            buffer.append(array: [1, 2])
            buffer.append(hexadecimal: [0x00, 0xAB, 0xFF].span)
            buffer.append(base64URL: [0xFF, 0xEF].span)
            let content = buffer.readable.array
            #expect(content == "static größer \u{1}\u{2}00abff_-8".bytes)
        }
    }

    /// An append that does not fit changes nothing, however it writes; found by this test: some
    /// wrote the part that did fit.
    @Test func anAppendThatDoesNotFitChangesNothing() {
        let appends: [(needs: Int, name: String, append: (inout Buffer) -> Void)] = [
            (1, "byte", { $0.append(UInt8(1)) }),
            (3, "span", { $0.append([1, 2, 3].span) }),
            (3, "array", { $0.append(array: [1, 2, 3]) }),
            (3, "static string", { $0.append("abc") }),
            (3, "text", { $0.append(text: "abc") }),
            (3, "decimal", { $0.append(decimal: 123) }),
            (4, "negative decimal", { $0.append(decimal: -123) }),
            (5, "fixed width", { $0.append(decimal: 1, width: 5) }),
            (3, "hexadecimal number", { $0.append(hexadecimal: 0xABC as UInt) }),
            (4, "hexadecimal bytes", { $0.append(hexadecimal: [1, 2].span) }),
            (4, "base 64", { $0.append(base64URL: [1, 2, 3].span) }),
        ]
        for (needs, name, append) in appends {
            for room in 0...needs {
                withBuffer { buffer in
                    let before = [UInt8](repeating: 7, count: Slab.capacity - room)
                    buffer.append(array: before)
                    append(&buffer)
                    let (overflowed, content) = (buffer.overflowed, buffer.readable.array)
                    #expect(overflowed == (room < needs), "\(name), room for \(room)")
                    let added = room < needs ? 0 : needs
                    #expect(content.count == before.count + added, "\(name), room for \(room)")
                }
            }
        }
    }
}
