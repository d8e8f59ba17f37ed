package io.holdfast.interop.authority;

import java.util.List;

/** Actions and rules for features that those of packages do not use. */
final class CraftedPolicy {
    /** The prefix of the actions that differ only in their defaults. */
    static final String DEFAULTS = "t.default.";

    /** Rules with every result, and with everything that a rule can do instead. */
    static final String RULES =
            """
            polkit.addRule(function(action, subject) {
                switch (action.id) {
                case "t.unit":
                    return subject.system_unit == "sealed.service" ? "yes"
                        : subject.system_unit === null ? "auth_admin" : "auth_self";
                case "t.no-new-privileges":
                    return subject.no_new_privileges === true ? "yes"
                        : subject.no_new_privileges === false ? "auth_self"
                        : subject.no_new_privileges === undefined ? "auth_admin_keep" : "no";
                case "t.seat":
                    return subject.seat === "seat0" ? "yes" : subject.seat === null ? "auth_self" : "no";
                case "t.session":
                    return subject.session === null ? "auth_self" : "yes";
                case "t.local":
                    return subject.local === true ? "yes" : subject.local === false ? "auth_self" : "no";
                case "t.active":
                    return subject.active === true ? "yes" : subject.active === false ? "auth_self" : "no";
                case "t.user":
                    return subject.user === "hfplain" ? "yes" : null;
                case "t.own-group":
                    return subject.isInGroup(subject.user) ? "yes" : "auth_self";
                case "t.groups":
                    return subject.groups.length > 1 ? "auth_self" : "auth_admin_keep";
                case "t.throw":
                    throw new Error("intended");
                case "t.unknown-word":
                    return "perhaps";
                case "t.upper-case":
                    return "YES";
                case "t.empty":
                    return "";
                case "t.zero":
                    return 0;
                case "t.false":
                    return false;
                case "t.null":
                    return polkit.Result.NOT_HANDLED;
                case "t.undefined-function":
                    return noSuchFunction();
                case "t.verb":
                    return action.lookup("verb") == "start" && action.lookup("unit") == "a.service"
                        ? "yes" : action.lookup("none") === undefined ? "auth_self" : "no";
                case "org.example.reboot":
                    return subject.user == "hfplain"
                        && (action.lookup("unit") || "a.service") == "a.service" ? "yes" : "no";
                case "t.same":
                    return polkit.Result.AUTH_SELF_KEEP;
                }
            });
            polkit.addRule(function(action, subject) {
                if (action.id == "t.null" || action.id == "t.zero") {
                    return polkit.Result.YES;
                }
            });
            """;

    /** The action of {@link #NEWER}. */
    static final String ARROW = "t.arrow";

    /** An action with entities in its description. */
    static final String ENTITY = "t.entity";

    /** A file of rules in newer JavaScript than polkitd supports. */
    static final String NEWER =
            "polkit.addRule((action, subject) => action.id == \"t.arrow\" ? \"yes\" : null);\n";

    private static final List<String> WORDS =
            List.of("no", "yes", "auth_self", "auth_self_keep", "auth_admin", "auth_admin_keep");

    private static final List<String> RULED =
            List.of(
                    "unit",
                    "no-new-privileges",
                    "seat",
                    "session",
                    "local",
                    "active",
                    "user",
                    "own-group",
                    "groups",
                    "throw",
                    "unknown-word",
                    "upper-case",
                    "empty",
                    "zero",
                    "false",
                    "null",
                    "undefined-function",
                    "verb",
                    "same");

    private CraftedPolicy() {}

    /** Returns a file of actions: one for each rule, and one for every triple of defaults. */
    static String actions() {
        StringBuilder text = new StringBuilder("<policyconfig>\n");
        for (String each : RULED) {
            append(text, "t." + each, "auth_admin", "auth_admin", "auth_admin", "");
        }
        for (String any : WORDS) {
            for (String inactive : WORDS) {
                for (String active : WORDS) {
                    append(
                            text,
                            (DEFAULTS + any + "." + inactive + "." + active).replace('_', '-'),
                            any,
                            inactive,
                            active,
                            "");
                }
            }
        }
        append(text, "org.example.reboot", "auth_admin", "auth_admin", "auth_admin", "");
        append(text, ARROW, "no", "no", "no", "");
        append(text, "t.implied", "no", "auth_self", "auth_admin", "");
        append(text, "t.implying", "no", "no", "yes", imply("t.implied"));
        append(text, "t.implied-by-rule", "no", "no", "no", "");
        append(text, "t.null-implying", "no", "no", "no", imply("t.no t.implied-by-rule"));
        appendDivided(text);
        append(text, "t.implied-twice", "auth_admin", "auth_admin", "auth_admin", "");
        append(text, "t.between", "no", "no", "no", imply("t.implied-twice"));
        append(text, "t.over-it", "yes", "yes", "yes", imply("t.between"));
        text.append(
                "<action id=\""
                        + ENTITY
                        + "\"><description>Fish &amp; chips</description></action>\n");
        return text.append("</policyconfig>\n").toString();
    }

    /** Appends actions whose lists of implied actions are divided by all kinds of whitespace. */
    private static void appendDivided(StringBuilder text) {
        String like = "\n\t\t\tt.realmd-one\n\t\t\tt.realmd-two\n\t\t"; // in realmd.policy
        append(text, "t.implying-as-realmd", "yes", "yes", "yes", imply(like));
        append(text, "t.implying-by-tabs", "yes", "yes", "yes", imply("t.tab-one\tt.tab-two"));
        append(text, "t.implying-mixed", "yes", "yes", "yes", imply("t.mix-one\tx t.mix-two"));
        append(text, "t.implying-lines", "yes", "yes", "yes", imply("t.line-one\nx t.line-two"));
        append(
                text,
                "t.implying-spaces",
                "yes",
                "yes",
                "yes",
                imply("  t.space-one  t.space-two "));
        for (String each : new String[] {"realmd", "tab", "mix", "line", "space"}) {
            append(text, "t." + each + "-one", "no", "no", "no", "");
            append(text, "t." + each + "-two", "no", "no", "no", "");
        }
    }

    private static String imply(String ids) {
        return "<annotate key=\"org.freedesktop.policykit.imply\">" + ids + "</annotate>";
    }

    private static void append(
            StringBuilder text,
            String id,
            String any,
            String inactive,
            String active,
            String more) {
        text.append(
                """
                <action id="%s"><description>Do %s</description><message>May $(who) do $(what)?</message>
                <defaults><allow_any>%s</allow_any><allow_inactive>%s</allow_inactive>
                <allow_active>%s</allow_active></defaults>%s</action>
                """
                        .formatted(id, id, any, inactive, active, more));
    }
}
