# Rehearse, upgrade and roll back from a Makefile of yours:
#
#   include $(shell refloat --makefile)
#
#   make rehearse TARGET=prom TO=3.5.3        (or IMAGE=registry/prom:3.5.3)
#   make upgrade  TARGET=prom TO=3.5.3
#   make rollback TARGET=prom
#
# make itself ends with 2 whatever failed; refloat's own exit status is in its message ("Error 5") and in the file
# named by REFLOAT_STATUS:   make upgrade … || exit "$(cat .refloat-status)"

REFLOAT ?= refloat
REFLOAT_FLAGS ?=
REFLOAT_STATUS ?= .refloat-status
# Put before the names of the targets where you have some of these names already: REFLOAT_PREFIX = refloat-
REFLOAT_PREFIX ?=

refloat-target = '$(or $(TARGET),$(error Say which container: make $@ TARGET=NAME))'
refloat-goal = $(if $(TO),--to '$(TO)',$(if $(IMAGE),--image '$(IMAGE)',$(error Say where to: make $@ TO=VERSION (or IMAGE=REF))))
refloat-run = @$(REFLOAT) $(1) --yes $(REFLOAT_FLAGS); status=$$?; echo $$status >'$(REFLOAT_STATUS)'; exit $$status

.PHONY: $(addprefix $(REFLOAT_PREFIX),rehearse upgrade rollback)
$(REFLOAT_PREFIX)rehearse: ; $(call refloat-run,rehearse $(refloat-target) $(refloat-goal))
$(REFLOAT_PREFIX)upgrade: ; $(call refloat-run,apply $(refloat-target) $(refloat-goal))
$(REFLOAT_PREFIX)rollback: ; $(call refloat-run,rollback $(refloat-target))
