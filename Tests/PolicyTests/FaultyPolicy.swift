// SPDX-License-Identifier: Apache-2.0

import Policy
import TestSupport
import Testing

/// A policy and the lines that are said of it, without the file's name in front.
struct FaultyPolicy: Sendable, CustomTestStringConvertible {
    static let file = "/etc/agentport/policy.json"

    let testDescription: String
    let text: String
    let lines: [String]

    init(_ name: String, _ text: String, _ lines: String...) {
        testDescription = name
        self.text = text
        self.lines = lines
    }

    /// One section, on a line of its own: the second.
    static func section(_ name: String, _ section: String, _ lines: String...) -> FaultyPolicy {
        FaultyPolicy(name: name, text: "{\"agentport\":1,\n\(section)}", lines: lines)
    }

    init(name: String, text: String, lines: [String]) {
        testDescription = name
        self.text = text
        self.lines = lines
    }

    /// What is told of it is just that.
    func check() {
        let faults = load(policy: text).faults
        #expect(faults == lines.map { "\(Self.file):\($0)" })
    }
}
