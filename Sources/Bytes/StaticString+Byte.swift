// SPDX-License-Identifier: Apache-2.0

extension StaticString {
    /// One byte of its UTF-8, for writers that encode as they go.
    @inlinable
    package func byte(at index: Int) -> UInt8 {
        precondition(index >= 0 && index < utf8CodeUnitCount)
        // SAFETY: the index lies in the text; the caller's literal is in pointer form, which
        // utf8Start checks.
        return unsafe utf8Start[index]
    }
}
