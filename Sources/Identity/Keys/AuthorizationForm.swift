// SPDX-License-Identifier: Apache-2.0

import Bytes

/// What a client sent in `Authorization`. Ranges are offsets into the value that was parsed.
package enum AuthorizationForm: Equatable {
    /// An API key or an OAuth access token.
    case bearer(Range<Int>)
    case agentPort(agent: Range<Int>, key: Range<Int>, totp: Range<Int>?)
    case basic(BasicCredentials)
    /// One of our schemes, not written as its grammar says.
    case malformed
    /// A scheme that is none of ours.
    case unsupported
}

/// `agent ":" key+code` of a `Basic` scheme (RFC 7617), for tools that know no other.
package struct BasicCredentials: Equatable {
    package let decoded: [UInt8]
    /// Where the colon lies that ends the agent's name.
    let colon: Int

    package var agent: Range<Int> { 0..<colon }

    /// - Parameter digits: how long a code of this agent is.
    /// - Returns: key and code as ranges of `decoded`; `nil` where the text is too short for
    ///   both, or its end is no code.
    package func split(digits: Int) -> (key: Range<Int>, code: Range<Int>)? {
        let start = colon + 1
        let end = decoded.count
        guard digits > 0, end - start > digits else { return nil }
        for index in end - digits..<end where !decoded[index].isDigit { return nil }
        return (start..<end - digits, end - digits..<end)
    }

    /// Everything behind the colon, for a request whose second factor comes otherwise.
    package var secret: Range<Int> { colon + 1..<decoded.count }
}
