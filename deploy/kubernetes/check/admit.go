package check

import (
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/kubernetes/pkg/apis/apps"
	appsinstall "k8s.io/kubernetes/pkg/apis/apps/install"
	appsvalidation "k8s.io/kubernetes/pkg/apis/apps/validation"
	"k8s.io/kubernetes/pkg/apis/autoscaling"
	autoscalinginstall "k8s.io/kubernetes/pkg/apis/autoscaling/install"
	autoscalingvalidation "k8s.io/kubernetes/pkg/apis/autoscaling/validation"
	"k8s.io/kubernetes/pkg/apis/batch"
	batchinstall "k8s.io/kubernetes/pkg/apis/batch/install"
	batchvalidation "k8s.io/kubernetes/pkg/apis/batch/validation"
	"k8s.io/kubernetes/pkg/apis/core"
	coreinstall "k8s.io/kubernetes/pkg/apis/core/install"
	corevalidation "k8s.io/kubernetes/pkg/apis/core/validation"
	"k8s.io/kubernetes/pkg/apis/networking"
	networkinginstall "k8s.io/kubernetes/pkg/apis/networking/install"
	networkingvalidation "k8s.io/kubernetes/pkg/apis/networking/validation"
	"k8s.io/kubernetes/pkg/apis/policy"
	policyinstall "k8s.io/kubernetes/pkg/apis/policy/install"
	policyvalidation "k8s.io/kubernetes/pkg/apis/policy/validation"
	"k8s.io/kubernetes/pkg/apis/rbac"
	rbacinstall "k8s.io/kubernetes/pkg/apis/rbac/install"
	rbacvalidation "k8s.io/kubernetes/pkg/apis/rbac/validation"
)

// errNotBuiltIn marks a kind that an operator adds to a cluster and that is not part of Kubernetes.
var errNotBuiltIn = errors.New("not built into Kubernetes")

// Server does what an API server does with an object before it stores it.
type Server struct{ decoder runtime.Decoder }

// NewServer returns a Server for the kinds of the manifests, with the API server's own defaults and
// conversions.
func NewServer() Server {
	scheme := runtime.NewScheme()
	for _, install := range []func(*runtime.Scheme){
		appsinstall.Install, autoscalinginstall.Install, batchinstall.Install, coreinstall.Install,
		networkinginstall.Install, policyinstall.Install, rbacinstall.Install,
	} {
		install(scheme)
	}
	return Server{serializer.NewCodecFactory(scheme).UniversalDecoder()}
}

// Admit returns an error if an API server would refuse the object. It applies defaults, converts and validates
// the object with the API server's own code. The error wraps errNotBuiltIn if the kind is not part of
// Kubernetes.
func (s Server) Admit(o Object) error {
	internal, _, err := s.decoder.Decode(o.JSON, nil, nil)
	if runtime.IsNotRegisteredError(err) {
		return fmt.Errorf("admit %s: %w", o, errNotBuiltIn)
	}
	if err != nil {
		return fmt.Errorf("admit %s: %w", o, err)
	}
	found, known := validate(internal)
	if !known {
		return fmt.Errorf("admit %s: there is no validation of a %T here yet", o, internal)
	}
	if err := found.ToAggregate(); err != nil {
		return fmt.Errorf("admit %s: %w", o, err)
	}
	return nil
}

// validate validates an object with defaults. known reports whether its kind is one that the manifests use.
func validate(object runtime.Object) (found field.ErrorList, known bool) {
	pods := corevalidation.PodValidationOptions{AllowMatchLabelKeysInPodTopologySpread: true}
	switch o := object.(type) {
	case *apps.Deployment:
		return appsvalidation.ValidateDeployment(o, pods), true
	case *apps.StatefulSet:
		return appsvalidation.ValidateStatefulSet(o, pods), true
	case *batch.Job: // the server creates its selector itself, after the defaults
		manual := true
		o.Spec.ManualSelector, o.Spec.Selector = &manual, &metav1.LabelSelector{MatchLabels: o.Spec.Template.Labels}
		return batchvalidation.ValidateJob(o, batchvalidation.JobValidationOptions{PodValidationOptions: pods}), true
	case *autoscaling.HorizontalPodAutoscaler:
		return autoscalingvalidation.ValidateHorizontalPodAutoscaler(o, autoscalingvalidation.HorizontalPodAutoscalerSpecValidationOptions{
			MinReplicasLowerBound: 1,
		}), true
	case *policy.PodDisruptionBudget:
		return policyvalidation.ValidatePodDisruptionBudget(o, policyvalidation.PodDisruptionBudgetValidationOptions{}), true
	case *networking.NetworkPolicy:
		return networkingvalidation.ValidateNetworkPolicy(o, networkingvalidation.NetworkPolicyValidationOptions{}), true
	case *rbac.Role:
		return rbacvalidation.ValidateRole(o), true
	case *rbac.RoleBinding:
		return rbacvalidation.ValidateRoleBinding(o), true
	}
	return validateCore(object)
}

func validateCore(object runtime.Object) (found field.ErrorList, known bool) {
	switch o := object.(type) {
	case *core.Namespace:
		return corevalidation.ValidateNamespace(o), true
	case *core.Service:
		return corevalidation.ValidateServiceCreate(o), true
	case *core.ServiceAccount:
		return corevalidation.ValidateServiceAccount(o), true
	case *core.ConfigMap:
		return corevalidation.ValidateConfigMap(o), true
	case *core.Secret:
		return corevalidation.ValidateSecret(o), true
	case *core.PersistentVolumeClaim:
		return corevalidation.ValidatePersistentVolumeClaim(o, corevalidation.PersistentVolumeClaimSpecValidationOptions{}), true
	}
	return nil, false
}
