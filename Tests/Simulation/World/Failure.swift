// SPDX-License-Identifier: Apache-2.0

/// Something that must not be.
struct Failure {
    enum Kind: String {
        /// A call arrived more than once upstream.
        case twice
        /// Somebody else's bytes, or bytes that nobody asked for.
        case foreign
        /// Something looks whole that was cut.
        case cut
        /// What was written is not what RFC 9112 or the specification says.
        case broken
        /// Nothing goes on.
        case stuck
        /// An outcome for which there is no reason.
        case unexplained
        /// What was lent has not come back.
        case leak
    }

    let kind: Kind
    let text: String
    let world: Int
    let at: UInt64
    let call: Call?
    let links: [UInt32]
    /// What the client is like.
    let manners: Manners?
}

extension Failure: CustomStringConvertible {
    var description: String {
        var line = "world \(world) at \(at / 1000) µs: \(kind.rawValue): \(text)"
        guard let call else { return line }
        line += "\n    call \(call.id): \(call.method.rawValue) \(call.framing) \(call.bodyCount) B"
        line += call.flaw.map { ", flaw \($0)" } ?? ""
        line += call.expectsContinue ? ", expects 100" : ""
        line += ", outcome \(call.outcome), arrived \(call.arrivals)"
        line += ", injected \(String(call.injected.rawValue, radix: 16))"
        line += "\n    answer: \(call.answer)"
        if let manners { line += "\n    client: \(manners)" }
        return line + "\n    connections \(links)"
    }
}
