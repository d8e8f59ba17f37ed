package io.holdfast.authority.rules;

/**
 * The part of what scripts may call that is written as a script itself. No file can take it from
 * those behind it.
 */
final class Prelude {
    /** Its name as a file, so that it is left out where places are told. */
    static final String NAME = "(polkit)";

    /** Called with what is native; what it returns are the two prototypes. */
    static final String SOURCE =
            """
            (function (global, native) {
                function Action() {}
                Action.prototype.lookup = function (key) {
                    return this["_detail_" + key];
                };
                Action.prototype.toString = function () {
                    var text = "[Action id='" + this.id + "'";
                    for (var name in this) {
                        if (name.indexOf("_detail_") === 0) {
                            text += " " + name.substring(8) + "='" + this[name] + "'";
                        }
                    }
                    return text + "]";
                };

                function Subject() {}
                Subject.prototype.isInGroup = native.isInGroup;
                Subject.prototype.isInNetGroup = native.isInNetGroup;
                function quoted(value) {
                    return value === null || value === undefined ? "null" : "'" + value + "'";
                }
                Subject.prototype.toString = function () {
                    return "[Subject pid=" + this.pid + " user=" + quoted(this.user)
                        + " groups=" + this.groups + " seat=" + quoted(this.seat)
                        + " session=" + quoted(this.session) + " local=" + this.local
                        + " active=" + this.active
                        + " system_unit=" + quoted(this.system_unit) + "]";
                };
                [Action, Subject].forEach(function (type) {
                    Object.keys(type.prototype).forEach(function (name) {
                        Object.defineProperty(type.prototype, name, {enumerable: false});
                    });
                });

                var start = native.start, outcome = native.outcome;
                global.Action = Action;
                global.Subject = Subject;
                var polkit = global.polkit = {};
                Object.defineProperty(polkit, "Result", {
                    enumerable: true,
                    value: Object.freeze({
                        NO: "no",
                        YES: "yes",
                        AUTH_SELF: "auth_self",
                        AUTH_SELF_KEEP: "auth_self_keep",
                        AUTH_ADMIN: "auth_admin",
                        AUTH_ADMIN_KEEP: "auth_admin_keep",
                        NOT_HANDLED: null
                    })
                });
                function offer(name, offered) {
                    Object.defineProperty(polkit, name, {
                        enumerable: true,
                        get: function () { return offered; },
                        set: function () {
                            throw new TypeError("polkit." + name + " is to be called, not set");
                        }
                    });
                }
                offer("addRule", native.addRule);
                offer("addAdminRule", native.addAdminRule);
                offer("log", native.log);
                offer("spawn", function spawn(argv) {
                    return outcome(start(argv));
                });
                return [Action.prototype, Subject.prototype];
            })
            """;

    private Prelude() {}
}
