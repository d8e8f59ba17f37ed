package io.holdfast.authority.rules.sandbox;

/** The objects of polkit that are written as a script, such as those that can be suspended. */
final class Prelude {
    /** The file name of the script, by which it is left out of places. */
    static final String NAME = "(polkit)";

    /**
     * A function of the native functions; it returns the constructors Action and Subject, and
     * spawn.
     */
    static final String SOURCE =
            """
            (function (native) {
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

                var start = native.start, outcome = native.outcome;
                function spawn(argv) {
                    return outcome(start(argv));
                }
                return [Action, Subject, spawn];
            })
            """;

    private Prelude() {}
}
