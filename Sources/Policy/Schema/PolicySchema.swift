// SPDX-License-Identifier: Apache-2.0

import JSON

/// The JSON Schema of the policy file, for editors and for checks where there is no gateway.
///
/// It accepts what the reader accepts value by value. What only the whole of a configuration shows
/// (names that are used twice, references, the order of the chain, files) `agentport check` says.
package enum PolicySchema {
    package static let identifier = "https://agentport.dev/schemas/policy-1.json"

    /// In pretty JSON, with a line's end.
    package static var document: String {
        var writer = JSONWriter(.pretty)
        writer.object {
            $0.member("$schema", "https://json-schema.org/draft/2020-12/schema")
            $0.member("$id", identifier)
            $0.member("title", "AgentPort policy")
            $0.member("description", description)
            RootKeys().schema.write(&$0)
        }
        return writer.text + "\n"
    }

    private static let description =
        "The policy file of AgentPort, version 1. The file itself may hold comments (`//` and "
        + "`/* */`) and one comma after the last item of a list or an object, which JSON has not: "
        + "editors call that JSON with comments. Names may stand only once in an object. What "
        + "needs the whole configuration to be judged (names given twice, unknown references, the "
        + "order of filters, files that are missing) only `agentport check` finds."
}
