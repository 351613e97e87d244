#!/bin/sh
# What Checkmk's own entrypoint does, in its order: create where there is no site, update where its version link
# dangles, start. Any step that fails ends the container.
set -e
exec 2>&1
[ -n "$CMK_SITE_ID" ] || { echo "No site id given"; exit 1; }
trap 'omd stop "$CMK_SITE_ID"; exit 0' TERM HUP INT
site=/omd/sites/$CMK_SITE_ID

if [ ! -d "$site/etc" ]; then
    echo "### CREATING SITE '$CMK_SITE_ID'"
    omd create "$CMK_SITE_ID"
fi
grep -q "^$CMK_SITE_ID:" /etc/passwd || echo "$CMK_SITE_ID:x:1000:1000::$site:/bin/sh" >>/etc/passwd
grep -q "^$CMK_SITE_ID:" /etc/group || echo "$CMK_SITE_ID:x:1000:" >>/etc/group

if [ ! -e "$site/version" ]; then # the link leads to a version that this image does not have
    echo "### UPDATING SITE"
    omd -f update --conflict=install "$CMK_SITE_ID"
fi
[ $# -eq 0 ] || exec "$@"

echo "### STARTING SITE"
omd start "$CMK_SITE_ID"
echo "### CONTAINER STARTED"
sleep 2147483647 &
wait $!
