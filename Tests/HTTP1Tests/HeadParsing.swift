// SPDX-License-Identifier: Apache-2.0
import Bytes
import HTTP1

/// A head as a comparable value.
struct HeadImage: Equatable {
    struct Field: Equatable {
        var name: String
        var value: [UInt8]
        var kind: FieldName
    }

    var start: [String] = []
    var minorVersion: UInt8 = 1
    var count = 0
    var fields: [Field] = []
    var framing = BodyFraming.none
    var keepsAlive = false
    var wantsUpgrade = false
    var expectsContinue = false
    var expectationUnknown = false
}

enum Outcome: Equatable {
    case needMore
    case complete(HeadImage)
    case fault(HeadFault)

    var isComplete: Bool {
        if case .complete = self { return true }
        return false
    }
}

func image(_ head: borrowing RequestHead, _ bytes: Span<UInt8>) -> HeadImage {
    var image = HeadImage()
    image.start = [
        bytes.extracting(head.methodRange).string, bytes.extracting(head.targetRange).string,
        bytes.extracting(head.pathRange).string, "\(head.method)", "\(head.targetForm)",
    ]
    image.minorVersion = head.minorVersion
    image.count = head.count
    for index in 0..<head.fieldCount {
        let field = head[index]
        image.fields.append(
            HeadImage.Field(
                name: field.name(in: bytes).string, value: field.value(in: bytes).array,
                kind: field.name))
    }
    image.framing = head.framing
    image.keepsAlive = head.keepsAlive
    image.wantsUpgrade = head.wantsUpgrade
    image.expectsContinue = head.expectsContinue
    image.expectationUnknown = head.expectationUnknown
    return image
}

func image(_ head: borrowing ResponseHead, _ bytes: Span<UInt8>) -> HeadImage {
    var image = HeadImage()
    image.start = ["\(head.status)", bytes.extracting(head.reasonRange).string]
    image.minorVersion = head.minorVersion
    image.count = head.count
    for index in 0..<head.fieldCount {
        let field = head[index]
        image.fields.append(
            HeadImage.Field(
                name: field.name(in: bytes).string, value: field.value(in: bytes).array,
                kind: field.name))
    }
    image.framing = head.framing
    image.keepsAlive = head.keepsAlive
    return image
}

/// Parses growing prefixes of `bytes`, the last of them the whole; stops at the first verdict.
///
/// The head is overwritten with another request's between calls, as a worker's one head is.
func parseRequest(
    _ bytes: [UInt8], cuts: [Int] = [], limits: HeadLimits = HeadLimits()
) -> Outcome {
    var parser = RequestHeadParser()
    var head = RequestHead()
    for cut in cuts + [bytes.count] {
        let part = Array(bytes[..<cut])
        do {
            let progress = try parser.parse(part.span, limits: limits, into: &head)
            if case .complete = progress { return .complete(image(head, part.span)) }
        } catch {
            return .fault(error)
        }
        disturb(&head)
    }
    return .needMore
}

private let otherRequest = Array(
    "PUT /other HTTP/1.1\r\nHost: o\r\nExpect: x\r\nTE: y\r\n\r\n".utf8)

private func disturb(_ head: inout RequestHead) {
    var other = RequestHeadParser()
    _ = try? other.parse(otherRequest.span, limits: HeadLimits(), into: &head)
}

func parseResponse(
    _ bytes: [UInt8], cuts: [Int] = [], to method: Method = .get,
    limits: HeadLimits = HeadLimits()
) -> Outcome {
    var parser = ResponseHeadParser()
    var head = ResponseHead()
    for cut in cuts + [bytes.count] {
        let part = Array(bytes[..<cut])
        do {
            let progress = try parser.parse(
                part.span, limits: limits, requestMethod: method, into: &head)
            if case .complete = progress { return .complete(image(head, part.span)) }
        } catch {
            return .fault(error)
        }
    }
    return .needMore
}

/// A generator of test cases that gives the same ones for the same seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}
