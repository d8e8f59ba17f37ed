package io.holdfast.core.file.folder;

import io.holdfast.core.Errno;
import io.holdfast.core.FileStatus;
import io.holdfast.core.file.FileException;
import io.holdfast.core.file.Links;
import java.util.OptionalLong;

/**
 * The rules of {@link Links}. A symbolic link that root or this process's user placed is followed.
 * A link that another user placed is followed if that user owns the file that the path leads to,
 * and no third user placed a link on the way.
 */
final class GuardedLinks implements PathWalk.Judge {
    private final String shown;
    private final Links links;
    private final Owners owners = Owners.ofThisThread();
    private OptionalLong untrustedOwner = OptionalLong.empty(); // of a followed link

    /**
     * @param shown the path for messages
     */
    GuardedLinks(String shown, Links links) {
        this.shown = shown;
        this.links = links;
    }

    @Override
    public void judgeLink(String place, FileStatus directory, FileStatus link, boolean last)
            throws FileException {
        String name = Directory.nameOf(place);
        String linkText = "the symbolic link \"" + name + "\" of user " + link.uid();
        if (links == Links.REFUSED) {
            throw FileException.refusal(
                    shown,
                    "leads through " + linkText + ", and links are not followed here",
                    Errno.ELOOP,
                    "put the file or directory itself there");
        }
        if (!owners.hasPlaced(directory, link)) {
            requireOneUntrustedOwner(linkText, link);
            untrustedOwner = OptionalLong.of(link.uid());
        }
    }

    /** All links that neither root nor this user placed must belong to one user. */
    private void requireOneUntrustedOwner(String linkText, FileStatus link) throws FileException {
        String why = null;
        if (owners.trusts(link.uid())) {
            why =
                    ", one of %d hard links to it, which any user can have made"
                            .formatted(link.links());
        } else if (untrustedOwner.isPresent() && untrustedOwner.getAsLong() != link.uid()) {
            why = ", after one of user " + untrustedOwner.getAsLong();
        }
        if (why != null) {
            throw FileException.refusal(
                    shown,
                    "leads through " + linkText + why,
                    Errno.ELOOP,
                    "let the path lead there without that link");
        }
    }

    @Override
    public void judgeTarget(FileStatus stat) throws FileException {
        if (untrustedOwner.isPresent()
                && untrustedOwner.getAsLong() != stat.uid()
                && !FileOpening.isNull(stat)) {
            throw FileException.refusal(
                    shown,
                    "is reached by a symbolic link of user "
                            + untrustedOwner.getAsLong()
                            + ", and belongs to user "
                            + stat.uid(),
                    Errno.ELOOP,
                    "let root own the link, or let the path lead there without it");
        }
    }
}
