package io.holdfast.authority.action;

import io.holdfast.authority.subject.Identity;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Something that a mechanism asks about before it does it, as a policy file declares it (polkit(8),
 * "declaring actions"). Texts that the file does not give are empty.
 *
 * @param id {@code org.example.do-something}; what characters it has is not checked
 * @param description what it is, in one line
 * @param message what is told to whoever has to authenticate
 * @param vendor of the action or, where that has none, of its file; the next two likewise
 * @param any the answer for subjects that are in no local session
 * @param inactive the answer for local sessions
 * @param active the answer for local sessions of a user who is active
 * @param annotations by key
 * @param place where it is declared
 */
public record Action(
        String id,
        Text description,
        Text message,
        String vendor,
        String vendorUrl,
        String iconName,
        ImplicitAuthorization any,
        ImplicitAuthorization inactive,
        ImplicitAuthorization active,
        Map<String, String> annotations,
        Place place) {
    /** The actions that whoever may do this one may do too, by their ids. */
    public static final String IMPLY = "org.freedesktop.policykit.imply";

    /** Who may ask about anybody: identities. */
    public static final String OWNER = "org.freedesktop.policykit.owner";

    public Action {
        annotations = Map.copyOf(annotations);
    }

    /** The answer for a subject whose session is so. */
    public ImplicitAuthorization implicit(boolean isLocal, boolean isActive) {
        return isLocal ? (isActive ? active : inactive) : any;
    }

    /** The ids of the annotation {@link #IMPLY}, which spaces separate. */
    public List<String> implied() {
        return words(IMPLY);
    }

    /**
     * The identities of the annotation {@link #OWNER}, which spaces separate; without what is none,
     * which is told as a problem of the file.
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

    List<String> words(String annotation) {
        List<String> words = new ArrayList<>();
        for (String word : annotations.getOrDefault(annotation, "").split("\\s+", -1)) {
            if (!word.isEmpty()) {
                words.add(word);
            }
        }
        return words;
    }
}
