// SPDX-License-Identifier: Apache-2.0
import Bytes

/// Finds a message's content and its end, whatever the framing.
package struct BodyDecoder: Sendable {
    private enum State {
        case length(UInt64)
        case chunked(ChunkedDecoder)
        case untilClose
        case done
    }

    private var state: State
    package let framing: BodyFraming
    /// Bytes of content so far, without what the framing adds.
    package private(set) var count: UInt64 = 0

    package init(_ framing: BodyFraming = .none) {
        self.framing = framing
        switch framing {
        case .none, .length(0): state = .done
        case .length(let length): state = .length(length)
        case .chunked: state = .chunked(ChunkedDecoder())
        case .untilClose: state = .untilClose
        }
    }

    /// Content that has been announced and is still to come: all of it, or the present chunk's.
    package var announced: UInt64 {
        switch state {
        case .length(let remaining): remaining
        case .chunked(let decoder): decoder.announced
        case .untilClose, .done: 0
        }
    }

    /// All of the message has been seen.
    package var isComplete: Bool {
        if case .done = state { return true }
        return false
    }

    /// Content is told as it comes; `.end` comes after the last of it, again and again.
    ///
    /// - Parameter offset: where the last event's `consumed` left off.
    package mutating func next(
        _ bytes: Span<UInt8>, from offset: Int
    ) throws(BodyFault) -> BodyEvent {
        let rest = bytes.count &- offset
        switch state {
        case .done:
            return .end(offset: offset)
        case .untilClose:
            guard rest > 0 else { return .needMore(consumed: offset) }
            count &+= UInt64(rest)
            return .data(offset..<bytes.count)
        case .length(let remaining):
            guard rest > 0 else { return .needMore(consumed: offset) }
            let taken = min(UInt64(rest), remaining)
            count &+= taken
            state = taken == remaining ? .done : .length(remaining &- taken)
            return .data(offset..<(offset &+ Int(taken)))
        case .chunked(var decoder):
            let event = try nextChunked(bytes, from: offset, &decoder)
            return event
        }
    }

    private mutating func nextChunked(
        _ bytes: Span<UInt8>, from offset: Int, _ decoder: inout ChunkedDecoder
    ) throws(BodyFault) -> BodyEvent {
        do {
            let event = try decoder.next(bytes, from: offset)
            if case .data(let range) = event { count &+= UInt64(range.count) }
            state = decoder.isComplete ? .done : .chunked(decoder)
            return event
        } catch {
            // The decoder keeps its fault, so that it is told again, not forgotten.
            state = .chunked(decoder)
            throw error
        }
    }

    /// The connection has ended: the end of content where the framing says so, else a fault.
    package mutating func finish() throws(BodyFault) {
        switch state {
        case .done: return
        case .untilClose: state = .done
        case .length, .chunked: throw .truncated
        }
    }
}
