package io.holdfast.authority;

import io.holdfast.authority.action.Action;
import io.holdfast.authority.subject.Subject;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The texts of an authentication dialog. */
final class DialogText {
    private static final Pattern VARIABLE = Pattern.compile("\\$\\(([^)]*)\\)");

    private DialogText() {}

    /** Returns the mechanism's own message, else the action's, with {@code $(key)} expanded. */
    static String message(Action action, Map<String, String> details, String locale) {
        String own = details.get("polkit.message");
        String text = own == null ? action.message().in(locale) : own;
        return VARIABLE.matcher(text)
                .replaceAll(found ->
                        Matcher.quoteReplacement(
                                details.getOrDefault(found.group(1), found.group())));
    }

    static String iconName(Action action, Map<String, String> details) {
        return details.getOrDefault("polkit.icon_name", action.iconName());
    }

    /** Returns all details that an agent receives: the PIDs of caller and subject, for display. */
    static Map<String, String> details(Caller caller, Subject subject) {
        Map<String, String> details = new LinkedHashMap<>();
        pid(caller.process()).ifPresent(pid -> details.put("polkit.caller-pid", pid));
        pid(subject.process()).ifPresent(pid -> details.put("polkit.subject-pid", pid));
        return details;
    }

    private static Optional<String> pid(Optional<Subject.UnixProcess> process) {
        return process.map(each -> each.pidFd().processId().pid())
                .map(number -> Integer.toString(number));
    }
}
