package io.holdfast.authority.action;

import io.holdfast.authority.subject.Identity;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * An action: an operation for which a mechanism requires an authorization, as a policy file
 * declares it (polkit(8), "declaring actions"). Texts that the file does not give are empty.
 *
 * @param id {@code org.example.do-something}; its characters are not checked
 * @param description the operation, in one line
 * @param message shown to the user who has to authenticate
 * @param vendor the action's or else its file's; likewise the next two
 * @param any the implicit authorization of subjects that are in no local session
 * @param inactive that of subjects in a local session
 * @param active that of subjects in a local session whose user is active
 * @param annotations by key
 * @param place where it is declared
 */
public record Action(
        String id,
        LocalizedText description,
        LocalizedText message,
        String vendor,
        String vendorUrl,
        String iconName,
        ImplicitAuthorization any,
        ImplicitAuthorization inactive,
        ImplicitAuthorization active,
        Map<String, String> annotations,
        SourceLine place) {
    /** The annotation with the ids of the actions that an authorization for this one implies. */
    public static final String IMPLY = "org.freedesktop.policykit.imply";

    /** The annotation with the identities that may check this action for any subject. */
    public static final String OWNER = "org.freedesktop.policykit.owner";

    public Action {
        annotations = Map.copyOf(annotations);
    }

    /** Returns the implicit authorization of a subject with such a session. */
    public ImplicitAuthorization implicit(boolean isLocal, boolean isActive) {
        return isLocal ? (isActive ? active : inactive) : any;
    }

    /** Returns the ids in the annotation {@link #IMPLY}, as {@link #words} divides it. */
    public List<String> implied() {
        return words(IMPLY);
    }

    /**
     * Returns the identities in the annotation {@link #OWNER}, as {@link #words} divides it. An
     * invalid one is left out, and reported as a problem of the file.
     */
    public List<Identity> owners() {
        List<Identity> owners = new ArrayList<>();
        for (String word : words(OWNER)) {
            try {
                owners.add(Identity.parse(word));
            } catch (IllegalArgumentException e) {
                // owns nothing
            }
        }
        return owners;
    }

    /**
     * Returns the words of an annotation as polkitd does, so that no file grants more here than
     * there: spaces alone separate them, and only the last line of the text counts.
     */
    List<String> words(String annotation) {
        String text = annotations.getOrDefault(annotation, "");
        List<String> words = new ArrayList<>();
        for (String word : text.substring(text.lastIndexOf('\n') + 1).split(" ", -1)) {
            if (!word.isEmpty()) {
                words.add(word);
            }
        }
        return words;
    }
}
