#!/bin/sh
# Run the installer where the data is of another version, then the daemons: as the vendor's installers do it in place.
set -e
exec 2>&1
daemons=$(echo "$STAND_IN_DAEMONS" | tr , ' ')
own=$(cat /opt/installer/version)
trap end TERM HUP INT
rm -f /run/omk/*.pid # of before the container was stopped: by now the number may be another process

end() { # daemons that nobody stopped before are cut off with what they had in hand
    for name in $daemons; do
        service "$name" status >/dev/null && echo "$name was cut off" >>"$OMK/var/lost"
    done
    exit 0
}

if [ ! -e "$OMK/version" ]; then
    echo "installing $STAND_IN_PRODUCT $own"
    mkdir -p "$OMK/conf" "$OMK/var"
    cp -R /opt/installer/bin "$OMK/"
    echo "of the family ${own%%.*}" >"$OMK/conf/own.json"
    echo "$own" >"$OMK/version"
fi
there=$(cat "$OMK/version")
if [ "$there" != "$own" ]; then
    echo "$STAND_IN_PRODUCT installer $own on $there"
    [ "${there%%.*}" = "${own%%.*}" ] || { echo "ERROR: $STAND_IN_PRODUCT ${there%%.*} is of another family than $own"; exit 1; }
    # One file name a day: the next run of any installer replaces the backup of this one.
    [ "$OMK_BACKUP" != yes ] || tar -czf "$OMK/omk-backup-$(date +%F).tgz" -C "$OMK" bin conf version
    [ "$STAND_IN_INSTALLER" != while-running ] || service "${daemons%% *}" start
    cp -R /opt/installer/bin "$OMK/" # over what is there: nothing goes away
    echo "converted by $own" >>"$OMK/conf/own.json"
    echo "$own" >"$OMK/version"
fi
for name in $daemons; do service "$name" start; done
echo "$STAND_IN_PRODUCT $own is up"
sleep 2147483647 &
wait $!
