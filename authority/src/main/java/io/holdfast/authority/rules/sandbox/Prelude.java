package io.holdfast.authority.rules.sandbox;

/**
 * The built-in functions that are written as a script: those that go through the values of an
 * iterator, so that the interpreter counts their steps, and those that can be suspended.
 */
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
                Array.from = function from(items, map, self) {
                    var made = [], iterator = items[Symbol.iterator], i = 0;
                    function add(item) {
                        made[i] = map === undefined ? item : map.call(self, item, i);
                        i++;
                    }
                    if (iterator !== undefined && iterator !== null) {
                        for (var item of iterable(iterator.call(items))) {
                            add(item);
                        }
                    } else {
                        for (var length = items.length >>> 0; i < length;) {
                            add(items[i]);
                        }
                    }
                    return made;
                };
                function first(array, from) {
                    var i = from === undefined ? 0 : +from;
                    return Math.trunc(i < 0 ? Math.max(array.length + i, 0) : i) || 0;
                }
                function isSame(one, other) {
                    return one === other || one !== one && other !== other;
                }
                function isBefore(one, other) {
                    return String(one) < String(other) ? -1 : String(one) > String(other) ? 1 : 0;
                }
                function merge(from, to, compare, begin, end) {
                    if (end - begin < 2) {
                        return;
                    }
                    var half = (begin + end) >>> 1, left = begin, right = half;
                    merge(to, from, compare, begin, half);
                    merge(to, from, compare, half, end);
                    for (var i = begin; i < end; i++) {
                        var isLeft = left < half && (right >= end
                            || !(compare(from[left], from[right]) > 0));
                        to[i] = isLeft ? from[left++] : from[right++];
                    }
                }
                function sort(compare) {
                    var sorted = [], holes = 0, missing = 0;
                    for (var i = 0, n = this.length; i < n; i++) {
                        if (!(i in this)) {
                            holes++;
                        } else if (this[i] === undefined) {
                            missing++;
                        } else {
                            sorted[sorted.length] = this[i];
                        }
                    }
                    var to = sorted.slice();
                    merge(sorted, to, compare === undefined ? isBefore : compare, 0, to.length);
                    for (i = 0; i < to.length; i++) {
                        this[i] = to[i];
                    }
                    for (; missing > 0; missing--) {
                        this[i++] = undefined;
                    }
                    for (; holes > 0; holes--) {
                        delete this[i++];
                    }
                    return this;
                }
                var arrays = {
                    indexOf: function (item, from) {
                        for (var i = first(this, from), n = this.length; i < n; i++) {
                            if (this[i] === item && i in this) {
                                return i;
                            }
                        }
                        return -1;
                    },
                    lastIndexOf: function (item, from) {
                        var last = from === undefined ? this.length : first(this, from) + 1;
                        for (var i = Math.min(last, this.length) - 1; i >= 0; i--) {
                            if (this[i] === item && i in this) {
                                return i;
                            }
                        }
                        return -1;
                    },
                    includes: function (item, from) {
                        for (var i = first(this, from), n = this.length; i < n; i++) {
                            if (isSame(this[i], item)) {
                                return true;
                            }
                        }
                        return false;
                    },
                    sort: sort,
                    toSorted: function (compare) {
                        return sort.call(Array.prototype.slice.call(this), compare);
                    }
                };
                for (var name in arrays) {
                    Array.prototype[name] = arrays[name];
                }

                function iterable(iterator) {
                    return {[Symbol.iterator]: function () { return iterator; }};
                }

                var start = native.start, outcome = native.outcome;
                function spawn(argv) {
                    return outcome(start(argv));
                }
                return [Action, Subject, spawn];
            })
            """;

    private Prelude() {}
}
