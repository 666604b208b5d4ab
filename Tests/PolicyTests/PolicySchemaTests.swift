// SPDX-License-Identifier: Apache-2.0

import JSON
import Policy
import TestSupport
import Testing

/// The schema and the reader know the same keys and the same bounds. `test_policy_schema.py` holds
/// the two against each other by a validator of others.
@Suite struct PolicySchemaTests {
    /// Each key of each object, and a policy that has nothing but what leads to it.
    static let keys: [SchemaKey] = SchemaKey.all

    @Test func knowsKeysOfEverySection() {
        let pointers = Set(Self.keys.map(\.pointer))
        #expect(pointers.count > 90)
        for pointer in [
            "/agentport", "/listen/limits/body", "/upstreams/0/health_check/path",
            "/agents/0/totp/period", "/filters/0/burst", "/routes/0/timeouts/idle", "/drain/grace",
        ] {
            #expect(pointers.contains(pointer))
        }
    }

    /// What has the form of no key at all is a fault there: so the reader looks at each of them.
    @Test(arguments: keys)
    func everyKeyIsRead(_ key: SchemaKey) {
        #expect(key.isRefused("[[]]"))
    }

    /// One that is renamed is not known any more: so the reader knows no others.
    /// Which keys a filter has depends on its name, so without that nothing else is looked at.
    @Test(arguments: keys.filter { !$0.pointer.hasSuffix("/use") })
    func everyNameIsKnownAsItStands(_ key: SchemaKey) {
        let faults = key.faults("null", suffix: "_").filter { $0.contains(": unknown key ") }
        #expect(faults.count == 1)
        #expect(!key.faults("null").contains { $0.contains(": unknown key ") })
    }

    @Test(arguments: keys.filter { $0.schema["minimum"] != nil })
    func integersEndWhereTheSchemaSays(_ key: SchemaKey) throws {
        let least = try #require(key.schema["minimum"]?.integer)
        let most = try #require(key.schema["maximum"]?.integer)
        for number in [least, most] {
            #expect(!key.isRefused("\(number)"))
            #expect(!key.isRefused("\(number).0"))
            #expect(!key.isRefused("\(number).00E0"))
        }
        for number in [least - 1, most + 1] { #expect(key.isRefused("\(number)")) }
        #expect(key.isRefused("\(least).5"))
    }

    @Test(arguments: keys.filter { $0.schema["maxItems"] != nil })
    func listsEndWhereTheSchemaSays(_ key: SchemaKey) throws {
        let most = try #require(key.schema["maxItems"]?.integer)
        let tooMany = "[" + Array(repeating: "0", count: most + 1).joined(separator: ",") + "]"
        #expect(key.faults(tooMany).contains { $0.contains("more than \(most) items") })
        // An agent without a key has a fault of its own at its empty list, a chain without
        // filters, too.
        if key.schema["minItems"] != nil || key.name == "api_key_sha256" || key.name == "filters" {
            #expect(key.isRefused("[]"))
        } else {
            #expect(!key.isRefused("[]"))
        }
    }

    @Test(arguments: keys.filter { $0.schema["enum"] != nil })
    func choicesAreThoseOfTheSchema(_ key: SchemaKey) throws {
        for name in try #require(key.schema["enum"]?.array?.map(\.string)) {
            let faults = key.faults("\"\(try #require(name))\"")
            #expect(!faults.contains { $0.contains(" \(key.pointer): must be `") })
        }
        #expect(key.isRefused("\"nothing\""))
    }

    @Test(arguments: [
        PolicyFileTests.whole, "{\"agentport\":1}", "{\"agentport\":1,\"drain\":{}}",
    ])
    func policiesOfTheseTestsAreOfItsShape(_ text: String) throws {
        let policy = try JSONReader.read(Array(text.utf8).span, dialect: .policy)
        #expect(SchemaShape.fault(of: policy, SchemaKey.root) == nil)
    }

    @Test(arguments: [
        "{}", "[]", "{\"agentport\":1,\"x\":1}", "{\"agentport\":1,\"totp\":{\"skew\":5}}",
        "{\"agentport\":1,\"agents\":[{\"name\":\"a\"}]}", "{\"agentport\":1,\"upstreams\":[]}",
        "{\"agentport\":1,\"filters\":[{\"use\":\"jwt\",\"mode\":\"off\"}]}",
    ])
    func whatIsNotOfItsShape(_ text: String) throws {
        let policy = try JSONReader.read(Array(text.utf8).span)
        #expect(SchemaShape.fault(of: policy, SchemaKey.root) != nil)
    }
}
