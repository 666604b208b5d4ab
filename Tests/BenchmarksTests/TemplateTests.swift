// SPDX-License-Identifier: Apache-2.0

import Testing
import benchmarks

@Suite("Template")
struct TemplateTests {
    private static let values = ["PORT": "8443", "FOLDER": "/tmp/x", "EMPTY": ""]

    @Test(arguments: [
        ("", ""),
        ("listen 127.0.0.1:@PORT@;", "listen 127.0.0.1:8443;"),
        ("@PORT@", "8443"),
        ("@PORT@@PORT@", "84438443"),
        ("@FOLDER@/log @PORT@\n@EMPTY@", "/tmp/x/log 8443\n"),
        // What is no place stays: a lone sign, a name in small letters, an address.
        ("a @ b", "a @ b"),
        ("@", "@"),
        ("@@", "@@"),
        (#""@type": type.example/x @PORT@"#, #""@type": type.example/x 8443"#),
        ("user@example.com@PORT@", "user@example.com8443"),
    ])
    func placesAreFilled(text: String, expected: String) throws {
        #expect(try Template(text).filled(Self.values) == expected)
    }

    @Test func aPlaceThatNothingStandsForIsNamed() throws {
        let fault = #expect(throws: BenchmarkFault.self) {
            try Template("port @PORT@ of @NOWHERE@").filled(Self.values)
        }
        #expect(fault?.reason == "nothing stands for @NOWHERE@")
    }

    @Test func whatIsFilledInIsNotReadAgain() throws {
        #expect(try Template("@A@").filled(["A": "@B@", "B": "no"]) == "@B@")
    }
}
