package io.holdfast.bus.policy;

import java.util.List;

/** A party with names; a question mark before a name means that it waits in the name's queue. */
public record TestParty(long id, List<String> spelled) implements Party {
    public static Party of(long id, String... names) {
        return new TestParty(id, List.of(names));
    }

    @Override
    public int names() {
        return spelled.size();
    }

    @Override
    public String name(int index) {
        String name = spelled.get(index);
        return name.startsWith("?") ? name.substring(1) : name;
    }

    @Override
    public boolean isPrimary(int index) {
        return !spelled.get(index).startsWith("?");
    }
}
