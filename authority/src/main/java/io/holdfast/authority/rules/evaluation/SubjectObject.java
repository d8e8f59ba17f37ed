package io.holdfast.authority.rules.evaluation;

import io.holdfast.authority.rules.RuleSubject;
import io.holdfast.authority.rules.sandbox.Abort;
import io.holdfast.authority.rules.sandbox.RuleSandbox;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.mozilla.javascript.Context;
import org.mozilla.javascript.Scriptable;
import org.mozilla.javascript.ScriptableObject;

/**
 * A subject as scripts see it. A property is read from the {@link RuleSubject} at its first use by
 * a script: most rules read only the action.
 */
public final class SubjectObject extends ScriptableObject {
    private static final long serialVersionUID = 1L;

    private enum Property {
        PID("pid", (subject, _) -> subject.pid()),
        UID("uid", (subject, _) -> (double) subject.uid()),
        USER("user", (subject, _) -> subject.user()),
        GROUPS("groups", (subject, scope) -> array(subject.groups(), scope)),
        SEAT("seat", (subject, _) -> subject.seat().orElse(null)),
        SESSION("session", (subject, _) -> subject.session().orElse(null)),
        LOCAL("local", (subject, _) -> subject.isLocal()),
        ACTIVE("active", (subject, _) -> subject.isActive()),
        SYSTEM_UNIT("system_unit", (subject, _) -> subject.systemUnit().orElse(null)),
        NO_NEW_PRIVILEGES(
                "no_new_privileges", (subject, _) -> subject.noNewPrivileges().orElse(null));

        private static final Map<String, Property> BY_NAME = new HashMap<>();

        static {
            for (Property property : values()) {
                BY_NAME.put(property.key, property);
            }
        }

        final String key;
        final Reading reading;

        Property(String key, Reading reading) {
            this.key = key;
            this.reading = reading;
        }
    }

    @FunctionalInterface
    private interface Reading {
        @Nullable Object of(RuleSubject subject, ScriptableObject scope);
    }

    private final transient RuleSubject subject;
    private final transient ScriptableObject scope;
    private final transient Set<Property> unread = EnumSet.allOf(Property.class);

    SubjectObject(RuleSubject subject, ScriptableObject scope, ScriptableObject prototype) {
        super(scope, prototype);
        this.subject = subject;
        this.scope = scope;
    }

    /** Returns the names of a subject's properties. */
    public static Set<String> names() {
        return Property.BY_NAME.keySet();
    }

    boolean isInGroup(String group) {
        return lookUp(facts -> facts.isInGroup(group));
    }

    boolean isInNetGroup(String netgroup) {
        return lookUp(facts -> facts.isInNetGroup(netgroup));
    }

    private <T> T lookUp(Function<RuleSubject, T> question) {
        try {
            return question.apply(subject);
        } catch (RuntimeException e) { // as an Abort, since a script's "finally" could hide it
            throw Abort.of(e);
        }
    }

    private static Scriptable array(List<String> names, ScriptableObject scope) {
        return RuleSandbox.current().newArray(scope, names.toArray());
    }

    private void read(@Nullable Object name) {
        Property property = name instanceof String ? Property.BY_NAME.get(name) : null;
        if (property != null && unread.contains(property)) {
            read(property);
        }
    }

    private void read(Property property) {
        @Nullable Object value;
        try {
            value = property.reading.of(subject, scope);
        } catch (RuntimeException e) {
            throw Abort.of(e);
        }
        boolean _ = unread.remove(property);
        boolean isThere = value != null || property != Property.NO_NEW_PRIVILEGES;
        if (isThere && !super.has(property.key, this)) { // otherwise a script has defined it
            super.put(property.key, this, value);
        }
    }

    private void readAll() {
        for (Property property : List.copyOf(unread)) {
            read(property);
        }
    }

    @Override
    public String getClassName() {
        return "Subject";
    }

    @Override
    public Object get(String name, Scriptable start) {
        if (!super.has(name, start)) {
            read(name);
        }
        return super.get(name, start);
    }

    @Override
    public boolean has(String name, Scriptable start) {
        read(name);
        return super.has(name, start);
    }

    @Override
    public void put(String name, Scriptable start, Object value) {
        read(name);
        super.put(name, start, value);
    }

    @Override
    public void delete(String name) {
        read(name);
        super.delete(name);
    }

    @Override
    public boolean preventExtensions() {
        readAll(); // no property could be added later
        return super.preventExtensions();
    }

    @Override
    public Object[] getIds() {
        readAll();
        return super.getIds();
    }

    @Override
    public Object[] getAllIds() {
        readAll();
        return super.getAllIds();
    }

    @Override
    protected @Nullable DescriptorInfo getOwnPropertyDescriptor(Context cx, Object id) {
        read(id);
        return super.getOwnPropertyDescriptor(cx, id);
    }
}
