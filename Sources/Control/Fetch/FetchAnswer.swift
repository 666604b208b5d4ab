// SPDX-License-Identifier: Apache-2.0

import Bytes
import HTTP1

/// Bytes to an answer, however they are cut: head, then content by any framing.
struct FetchAnswer {
    /// 1xx heads before the answer's own (RFC 9110 §15.2).
    private static let interimMax = 8

    private let bodyBytesMax: Int
    private var parser = ResponseHeadParser()
    /// Set once the head is there.
    private var decoder: BodyDecoder?
    private var interimCount = 0
    private var status = 0
    private var date: UInt64?
    private var body: [UInt8] = []
    /// What has come and is not accounted for.
    ///
    /// Invariant: after ``take(_:)`` it is part of a head or of a trailer line, both of which
    /// their parsers bound.
    private var waiting: [UInt8] = []

    init(bodyBytesMax: Int) {
        self.bodyBytesMax = bodyBytesMax
    }

    var response: FetchResponse { FetchResponse(status: status, date: date, body: body) }

    /// - Returns: whether the answer is whole; what may come behind it is nobody's business.
    mutating func take(_ bytes: [UInt8]) throws(FetchFault) -> Bool {
        waiting += bytes
        while decoder == nil {
            guard try readHead() else { return false }
        }
        return try readBody()
    }

    /// The connection has ended, in good order.
    mutating func finish() throws(FetchFault) {
        guard decoder != nil else { throw .cut }
        do throws(BodyFault) {
            try decoder?.finish()
        } catch {
            throw .cut
        }
    }

    /// - Returns: whether there was a whole head.
    private mutating func readHead() throws(FetchFault) -> Bool {
        var head = ResponseHead()
        let bytes = waiting
        do throws(HeadFault) {
            let progress = try parser.parse(
                bytes.span, limits: HeadLimits(), requestMethod: .get, into: &head)
            guard case .complete(let count) = progress else { return false }
            waiting.removeFirst(count)
        } catch {
            throw .malformed(Self.text(error))
        }
        if head.isInterim {
            interimCount += 1
            guard interimCount <= Self.interimMax else {
                throw .malformed("interim answers without end")
            }
            return true
        }
        guard head.status >= 200 else { throw .malformed("status \(head.status)") }
        if case .length(let length) = head.framing, length > UInt64(bodyBytesMax) {
            throw .tooLarge(limit: bodyBytesMax)
        }
        status = head.status
        if let text = head.value(.date, in: bytes.span) { date = HTTPDate.parse(text) }
        decoder = BodyDecoder(head.framing)
        return true
    }

    private mutating func readBody() throws(FetchFault) -> Bool {
        guard var decoder else { return false }
        defer { self.decoder = decoder }
        var offset = 0
        do throws(BodyFault) {
            while true {
                let event = try decoder.next(waiting.span, from: offset)
                offset = event.consumed
                switch event {
                case .data(let range):
                    guard body.count + range.count <= bodyBytesMax else { break }
                    body += waiting[range]
                    continue
                case .trailer: continue
                case .end: return true
                case .needMore:
                    waiting.removeFirst(offset)
                    return false
                }
                break
            }
        } catch {
            throw .malformed("\(error.description)")
        }
        throw .tooLarge(limit: bodyBytesMax)
    }

    private static func text(_ fault: HeadFault) -> String {
        switch fault {
        case .malformed(let reason): "\(reason.description)"
        case .uriTooLong, .headersTooLarge: "head beyond its limits"
        case .versionUnsupported: "HTTP version"
        }
    }
}
