package io.holdfast.bus.policy;

import java.util.List;
import java.util.regex.Pattern;

/** A party with names; a question mark before a name means that it waits in the name's queue. */
public record TestParty(long id, List<String> spelled) implements Party {
    private static final Pattern UNIQUE = Pattern.compile("':1\\.(\\d+)");

    public static Party of(long id, String... names) {
        return new TestParty(id, List.of(names));
    }

    /**
     * Returns a rule in which each {@code ':1.N'} is replaced by the unique name of this process
     * with that number.
     */
    public static String rule(String text) {
        return UNIQUE.matcher(text)
                .replaceAll(name -> "'" + UniqueName.of(0).replaceFirst("0$", name.group(1)));
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
