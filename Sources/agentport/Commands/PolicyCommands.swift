// SPDX-License-Identifier: Apache-2.0

import Policy

extension Command {
    static let policySchema = Command(
        words: ["policy", "schema"],
        summary: "prints the JSON Schema of the policy file, for editors and CI",
        notes: """
            It is of draft 2020-12 and says what each value may be. Comments and trailing commas,
            which a policy may have, are for whoever reads the file to allow. What needs the whole
            configuration, or the files it names, is for `agentport check`.

            example:
              agentport policy schema > policy.schema.json
            """
    ) { _ throws(CommandFailure) in
        Console.show(PolicySchema.document)
    }
}
